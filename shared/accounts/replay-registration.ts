import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { limitRate, useByAddress } from '../rate-limits/limit-rate';
import type { SessionTokens } from '../sessions/open-session';
import { logIn } from '../sign-in/log-in';
import type { User } from '../users/user';
import { findUsedKey, type KeyClaim } from './idempotency-store';

const KEPT_MS = 24 * 60 * 60 * 1000;

/**
 * What a registration leaves of its `Idempotency-Key`: keyed hashes of the key and of the body. Keys are the caller's
 * own; those who call without a token share one space.
 * @param body the registration without its password, which is in no hash but bcrypt's: this one is fast, and would hand
 * whoever reads the table and the secret a faster way to guess it
 */
export function claimFor(
  ctx: Context,
  idempotencyKey: string,
  body: object,
  caller: string | null,
): KeyClaim {
  const hash = (text: string) => createHmac('sha256', ctx.config.idempotency.secret).update(text).digest();
  const now = ctx.now();
  return {
    key: hash(JSON.stringify(['key', caller, idempotencyKey])),
    fingerprint: hash(JSON.stringify(['body', body])),
    userId: ctx.newId(),
    now,
    expiresAt: new Date(now.getTime() + KEPT_MS),
  };
}

/**
 * Answers a registration that was made before under the same key. It is a login, limits and event and all: who has
 * guessed a key and a body gets no further than at the front door, and a password changed since is not valid again.
 * @throws DomainError `idempotency_key_reused` where the body, the password with it, is another one or the user is gone
 */
export async function replayRegistration(
  ctx: Context,
  claim: KeyClaim,
  password: string,
  origin: Origin,
): Promise<{ user: User; tokens: SessionTokens }> {
  const used = await findUsedKey(ctx.db, claim.key);
  if (!used || !timingSafeEqual(used.fingerprint, claim.fingerprint)) throw reused();
  if (used.username === null) throw reused('The user who was registered with this key has been deleted');
  await limitRate(ctx, [useByAddress('loginAddress', origin.address)]);
  try {
    return await logIn(ctx, { username: used.username }, password, origin);
  } catch (error) {
    if (error instanceof DomainError && error.code === 'invalid_credentials') throw reused();
    throw error;
  }
}

function reused(detail?: string): DomainError {
  return new DomainError('idempotency_key_reused', detail === undefined ? {} : { detail });
}
