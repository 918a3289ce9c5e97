import { createHmac } from 'node:crypto';
import type { Config } from '../config/config';
import type { Context } from '../context/context';
import type { Db } from '../db/connection';
import { DomainError } from '../errors';
import { addressBlock } from './address-block';
import { type CountedUse, countUses, uncountUse } from './rate-limit-store';

export type LimitName = keyof Config['rateLimits']['limits'];

/** A use of a limit: which one, and whose (an account's name, a user's id, an address). */
export interface Use {
  limit: LimitName;
  subject: string;
}

const KEY_BYTES = 16;

/** The use of a per-address limit by whoever calls from there. */
export function useByAddress(limit: LimitName, address: string | null): Use {
  return { limit, subject: addressBlock(address) };
}

/**
 * Counts one use of each limit, in this order, and of none after one that is used up; so name the address first,
 * then the account. PostgreSQL keeps the counters: every container sees the same ones. One round trip.
 * @throws DomainError `rate_limited` with `Retry-After` (RFC 9110, section 10.2.3) where one is used up
 */
export async function limitRate(ctx: Context, uses: Use[]): Promise<void> {
  const refused = await refuseUse(ctx, uses);
  if (refused) throw refused.error;
}

/**
 * As `limitRate`, for a caller that has more to do where one is used up.
 * @returns which of the uses it was, and what `limitRate` would throw; null where there was room for all
 */
export async function refuseUse(
  ctx: Context,
  uses: Use[],
): Promise<{ index: number; error: DomainError } | null> {
  if (!ctx.config.rateLimits.enabled) return null;
  const now = ctx.now();
  const counted = uses.map((use) => countedUse(ctx, use, now));
  const full = await countUses(ctx.db, counted, now);
  if (full === null) return null;
  const seconds = Math.max(1, Math.ceil((full.resetsAt.getTime() - now.getTime()) / 1000));
  const error = new DomainError('rate_limited', {
    detail: `Try again in ${seconds} seconds`,
    headers: { 'retry-after': String(seconds) },
  });
  return { index: full.index, error };
}

/**
 * Gives a use back that `limitRate` has counted: for a limit on failures, when it was none after all. Counting first
 * and giving back is what stops a hundred guesses that arrive at the same moment.
 */
export async function giveBackUse(db: Db, ctx: Context, use: Use): Promise<void> {
  if (!ctx.config.rateLimits.enabled) return;
  await uncountUse(db, countedUse(ctx, use, ctx.now()), ctx.now());
}

function countedUse(ctx: Context, { limit, subject }: Use, now: Date): CountedUse {
  const { limits, secret } = ctx.config.rateLimits;
  const { max, seconds } = limits[limit];
  // With a secret of ours: there are few enough IPv4 addresses to try them all on a plain hash.
  const key = createHmac('sha256', secret).update(`${limit}\0${subject}`).digest().subarray(0, KEY_BYTES);
  return { key, max, resetsAt: new Date(now.getTime() + seconds * 1000) };
}
