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
 * What is stored of an `Idempotency-Key`: keyed hashes of the key and of the body. Each caller has their own keys;
 * anonymous callers share theirs.
 * @param body the registration without its password: this hash is fast, and would give an attacker who has the table and
 * the secret a faster way to guess the password than its slow hash
 */
export function newKeyClaim(
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
 * Repeats the response to an earlier registration with the same key by logging the user in, with the same limits and
 * event as any login: a guessed key and body gain an attacker nothing, and a password that has since been changed fails.
 * Without a password there is nothing to log in with.
 * @throws DomainError `idempotency_key_reused` if the body or the password differs, the user was deleted, or there is no
 * password
 */
export async function replayRegistration(
  ctx: Context,
  claim: KeyClaim,
  password: string | null,
  origin: Origin,
): Promise<{ user: User; tokens: SessionTokens }> {
  const used = await findUsedKey(ctx.db, claim.key);
  if (!used || !timingSafeEqual(used.fingerprint, claim.fingerprint)) throw reused();
  if (used.username === null) throw reused('The user registered with this key has been deleted');
  if (password === null) throw reused('The user is registered. Sign in');
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
