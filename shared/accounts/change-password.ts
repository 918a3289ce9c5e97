import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { appendEvent } from '../outbox/event-store';
import type { PublishingContext } from '../outbox/publisher';
import { assertAcceptable } from '../passwords/acceptable';
import { changeLockedPassword } from '../passwords/change-locked-password';
import { REPEATS_NAME, repeatsName } from '../passwords/fields';
import { hashPassword } from '../passwords/hash';
import { isStillPassword, type PasswordProof, provePassword } from '../passwords/prove-password';
import { limitRate } from '../rate-limits/limit-rate';
import type { Caller } from '../sessions/authenticate';
import { endSessions } from '../sessions/end-sessions';
import { openSession, type SessionTokens } from '../sessions/open-session';
import { getUserToActFor } from '../users/assert-may-act-for';
import { sequenceOf } from '../users/sequence';
import { lockUserToChange } from './lock-user';

export interface PasswordChange {
  /** Required to change your own password; administrators do not know other users' passwords. */
  currentPassword: string | undefined;
  newPassword: string;
}

/**
 * Sets a new password and ends all of the user's sessions, including the caller's own: an attacker may hold the tokens of
 * any of them. Opens a new session for users who change their own password.
 * @returns the new session's tokens, or null if the caller changed another user's password
 * @throws DomainError `not_found`, `forbidden`, `version_mismatch`, `invalid_credentials` for a wrong current password,
 * `rate_limited` after too many of those, `invalid_request` if the new password repeats a name
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
  const { appName } = ctx.config.mail;
  if (repeatsName(newPassword, { ...user, appName })) throw invalid('newPassword', REPEATS_NAME);
  const proof =
    user.id === caller.user.id ? await proveCurrentPassword(ctx, user.id, currentPassword, origin) : null;
  if (proof) await limitRate(ctx, [{ limit: 'updateAccount', subject: user.id }]);
  await assertAcceptable(ctx, 'newPassword', newPassword);
  // Before the transaction, so that no lock is held while hashing.
  const hashed = await hashPassword(newPassword, ctx.config.passwords);

  const done = await ctx.db.transaction().execute(async (tx) => {
    const before = await lockUserToChange(tx, ctx, caller, user.id, versions);
    if (proof && !(await isStillPassword(tx, proof))) return null;
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
    // The password alone does not renew the proof of a user who has a second factor, nor lose what was proven before.
    const proven = caller.hasFactor ? { at: caller.provenAt ?? new Date(0), amr: caller.amr } : proof;
    const reopened = { ...proven, user: changed, rolePermissions: [...caller.permissions] };
    const { tokens } = await openSession(tx, ctx, reopened, origin);
    return { tokens, events };
  });
  // The hash changed between check and lock: a login upgraded it, or there is a new password. Check again.
  if (done === null)
    return changePassword(ctx, caller, id, { currentPassword, newPassword }, versions, origin);
  await ctx.publisher.publish(done.events);
  return done.tokens;
}

async function proveCurrentPassword(
  ctx: PublishingContext,
  userId: string,
  currentPassword: string | undefined,
  origin: Origin,
): Promise<PasswordProof> {
  if (currentPassword === undefined) throw invalid('currentPassword', 'is required');
  return provePassword(ctx, userId, currentPassword, origin);
}

function invalid(path: string, message: string): DomainError {
  return new DomainError('invalid_request', { errors: [{ path, message }] });
}
