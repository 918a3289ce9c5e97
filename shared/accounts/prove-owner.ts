import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { findPassword } from '../passwords/password-store';
import { provePassword } from '../passwords/prove-password';
import { assertRecentAuthentication } from '../sessions/assert-recent-authentication';
import type { Caller } from '../sessions/authenticate';
import type { ProvenSession } from '../sessions/session-store';

/** Proof that the caller owns the account. Changes that rely on it check `isStillProven` under a lock. */
export interface OwnerProof extends ProvenSession {
  readonly userId: string;
  /** Of the password that was proven; null if the user has none. */
  readonly hash: string | null;
}

/**
 * What it takes to change the email address, which receives reset links, or the password: the current password; from users
 * with a second factor, also a recent authentication, which had one; from users without a password, that alone. So neither a
 * stolen access token nor a stolen password is enough to take over the account (ASVS 5.0, 7.5.1).
 * @throws DomainError `invalid_request` if the password is missing, `invalid_credentials`, `rate_limited`, or
 * `reauthentication_required`
 */
export async function proveOwner(
  ctx: Context,
  caller: Caller,
  currentPassword: string | undefined,
  origin: Origin,
): Promise<OwnerProof> {
  const { id: userId } = caller.user;
  const hash = (await findPassword(ctx.db, userId))?.hash ?? null;
  if (hash !== null && currentPassword === undefined) throw passwordRequired();
  if (hash === null || caller.hasFactor) assertRecentAuthentication(ctx, caller);
  const proven = { at: caller.provenAt ?? new Date(0), amr: caller.amr };
  if (hash === null || currentPassword === undefined) return { ...proven, userId, hash };
  const proof = await provePassword(ctx, userId, currentPassword, origin);
  // The password alone does not renew the proof of a user who has a second factor, nor lose what was proven before.
  return caller.hasFactor ? { ...proof, ...proven } : proof;
}

/** Whether the user, whom the caller has locked meanwhile, still has the password that was proven, or still none. */
export async function isStillProven(tx: Tx, { userId, hash }: OwnerProof): Promise<boolean> {
  return ((await findPassword(tx, userId))?.hash ?? null) === hash;
}

export function passwordRequired(): DomainError {
  return new DomainError('invalid_request', {
    errors: [{ path: 'currentPassword', message: 'is required' }],
  });
}
