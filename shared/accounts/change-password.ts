import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { appendEvent } from '../outbox/event-store';
import type { PublishingContext } from '../outbox/publisher';
import { assertAcceptable } from '../passwords/acceptable';
import { changeLockedPassword } from '../passwords/change-locked-password';
import { REPEATS_NAME, repeatsName } from '../passwords/fields';
import { hashPassword } from '../passwords/hash';
import { limitRate } from '../rate-limits/limit-rate';
import { assertRecentAuthentication } from '../sessions/assert-recent-authentication';
import type { Caller } from '../sessions/authenticate';
import { endSessions } from '../sessions/end-sessions';
import { openSession, type SessionTokens } from '../sessions/open-session';
import { getUserToActFor } from '../users/assert-may-act-for';
import { sequenceOf } from '../users/sequence';
import { lockUserToChange } from './lock-user';
import { isStillProven, type OwnerProof, proveOwner } from './prove-owner';

export interface PasswordChange {
  /** Required to change your own password, if you have one; administrators do not know other users' passwords. */
  currentPassword: string | undefined;
  newPassword: string;
}

/**
 * Sets a new password and ends all of the user's sessions, including the caller's own: an attacker may hold the tokens of
 * any of them. Opens a new session for users who change their own password. Users without a password set their first one.
 * @returns the new session's tokens, or null if the caller changed another user's password
 * @throws DomainError `not_found`, `forbidden`, `version_mismatch`, `invalid_credentials` for a wrong current password,
 * `rate_limited` after too many of those, `reauthentication_required`, or `invalid_request` if the current password is
 * missing or the new one repeats a name
 */
export async function changePassword(
  ctx: PublishingContext,
  caller: Caller,
  id: string,
  { currentPassword, newPassword }: PasswordChange,
  versions: number[] | null,
  origin: Origin,
): Promise<SessionTokens | null> {
  const user = await getUserToActFor(ctx, caller, id);
  const { contextWords } = ctx.config.passwords;
  if (repeatsName(newPassword, { ...user, contextWords })) throw invalid('newPassword', REPEATS_NAME);
  const proof = await proveForChange(ctx, caller, user.id, currentPassword, origin);
  if (proof) await limitRate(ctx, [{ limit: 'updateAccount', subject: user.id }]);
  await assertAcceptable(ctx, 'newPassword', newPassword);
  // Before the transaction, so that no lock is held while hashing.
  const hashed = await hashPassword(newPassword, ctx.config.passwords);

  const done = await ctx.db.transaction().execute(async (tx) => {
    const before = await lockUserToChange(tx, ctx, caller, user.id, versions);
    if (proof && !(await isStillProven(tx, proof))) return null;
    const changed = await changeLockedPassword(tx, before, hashed, ctx.now());
    const event = await appendEvent(tx, ctx, 'inline', {
      type: 'user.password_changed',
      subject: user.id,
      sequence: sequenceOf(changed.version),
      data: { id: user.id },
      origin,
    });
    const end = { userId: user.id, choice: 'all', reason: 'password_changed', origin } as const;
    const ended = await endSessions(tx, ctx, 'relay', end);
    const events = [event, ...ended];
    if (!proof) return { tokens: null, events };
    const reopened = { ...proof, user: changed, rolePermissions: [...caller.permissions] };
    const tokens = await openSession(tx, ctx, ctx.newId(), reopened, origin);
    return { tokens, events };
  });
  // The hash changed between check and lock: a login upgraded it, or there is a new password. Check again.
  if (done === null)
    return changePassword(ctx, caller, id, { currentPassword, newPassword }, versions, origin);
  await ctx.publisher.publish(done.events);
  return done.tokens;
}

/** @returns null for another user's password, which takes a recent authentication */
async function proveForChange(
  ctx: PublishingContext,
  caller: Caller,
  userId: string,
  currentPassword: string | undefined,
  origin: Origin,
): Promise<OwnerProof | null> {
  if (userId === caller.user.id) return proveOwner(ctx, caller, currentPassword, origin);
  assertRecentAuthentication(ctx, caller);
  return null;
}

function invalid(path: string, message: string): DomainError {
  return new DomainError('invalid_request', { errors: [{ path, message }] });
}
