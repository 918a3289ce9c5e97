import { createHmac } from 'node:crypto';
import type { Config } from '../config';
import type { Context } from '../context/context';
import type { Db } from '../db/connection';
import { DomainError } from '../errors';
import { addressBlock } from './address-block';
import { type CountedUse, countUses, isFull, uncountUseRows } from './rate-limit-store';

export type LimitName = keyof Config['rateLimits']['limits'];

/** A use of a limit by a subject: an account's name, a user's id or an address. */
export interface Use {
  limit: LimitName;
  subject: string;
}

const KEY_BYTES = 16;

/** A use of a per-address limit. */
export function useByAddress(limit: LimitName, address: string | null): Use {
  return { limit, subject: addressBlock(address) };
}

/**
 * Counts one use of each limit, in order, and stops at the first exceeded one; so pass the address first, then the
 * account. The counters are in PostgreSQL, shared by all containers. One round trip.
 * @throws DomainError `rate_limited` with `Retry-After` (RFC 9110, section 10.2.3) if a limit is exceeded
 */
export async function limitRate(ctx: Context, uses: Use[]): Promise<void> {
  const exceeded = await consumeLimits(ctx, uses);
  if (exceeded) throw exceeded.error;
}

/**
 * Like `limitRate`, but returns the error.
 * @returns the index of the exceeded limit and the error that `limitRate` throws; null if no limit is exceeded
 */
export async function consumeLimits(
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

/** Whether a limit would be exceeded by one more use. Counts and locks nothing. */
export async function isUsedUp(ctx: Context, use: Use): Promise<boolean> {
  if (!ctx.config.rateLimits.enabled) return false;
  const now = ctx.now();
  return isFull(ctx.db, countedUse(ctx, use, now), now);
}

/**
 * Takes uses back from the count, for limits on failures: an attempt is counted first and uncounted if it succeeds, so
 * that concurrent attempts cannot exceed the limit.
 * @param uses in the order in which they were counted
 */
export async function uncountUses(db: Db, ctx: Context, uses: Use[]): Promise<void> {
  if (!ctx.config.rateLimits.enabled) return;
  const now = ctx.now();
  await uncountUseRows(
    db,
    uses.map((use) => countedUse(ctx, use, now)),
    now,
  );
}

function countedUse(ctx: Context, { limit, subject }: Use, now: Date): CountedUse {
  const { limits, secret } = ctx.config.rateLimits;
  const { max, seconds } = limits[limit];
  // Keyed, because there are few enough IPv4 addresses to try them all against a plain hash.
  const key = createHmac('sha256', secret).update(`${limit}\0${subject}`).digest().subarray(0, KEY_BYTES);
  return { key, max, resetsAt: new Date(now.getTime() + seconds * 1000) };
}
