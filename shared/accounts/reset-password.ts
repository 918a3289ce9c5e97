import { findTokenOwner, useToken } from '../email-addresses/email-token-store';
import { forgetPasskeys } from '../email-addresses/forget-unproven';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { appendEvent, type PendingEvent } from '../outbox/event-store';
import type { PublishingContext } from '../outbox/publisher';
import { assertAcceptable } from '../passwords/acceptable';
import { changeLockedPassword } from '../passwords/change-locked-password';
import { REPEATS_NAME, repeatsName } from '../passwords/fields';
import { hashPassword } from '../passwords/hash';
import { limitRate } from '../rate-limits/limit-rate';
import { endSessions } from '../sessions/end-sessions';
import { hashToken } from '../tokens/opaque-token';
import { sequenceOf, takeMinorSequence } from '../users/sequence';
import type { User } from '../users/user';

/**
 * Sets a new password with the token of a reset email and ends all sessions, because one may be an attacker's. The token
 * was sent by email, so it also verifies the address. If nobody had done that before, passkeys are removed too: whoever
 * registered may have been somebody else. Authenticator apps stay, because a reset must not be a way around them.
 * @throws DomainError `invalid_token` for a token that is invalid, used, expired, for an earlier address or issued before
 * a password change; `invalid_request` if the password repeats a name (the token stays valid)
 */
export async function resetPassword(
  ctx: PublishingContext,
  token: string,
  password: string,
  requestOrigin: Origin,
): Promise<User> {
  const hash = hashToken(token);
  const found = await findTokenOwner(ctx.db, 'reset_password', hash, ctx.now());
  if (!found) throw new DomainError('invalid_token');
  const { user: owner } = found;
  await limitRate(ctx, [{ limit: 'mailAccount', subject: `reset-password ${owner.id}` }]);
  if (repeatsName(password, { ...owner, contextWords: ctx.config.passwords.contextWords })) {
    throw new DomainError('invalid_request', { errors: [{ path: 'password', message: REPEATS_NAME }] });
  }
  await assertAcceptable(ctx, 'password', password);
  // Before the transaction, which checks the token again, so that no lock is held while hashing.
  const hashed = await hashPassword(password, ctx.config.passwords);

  // The token identifies the actor: whoever can read the email acts as the user.
  const origin = { ...requestOrigin, actorId: owner.id };
  const { user, events } = await ctx.db.transaction().execute(async (tx) => {
    const used = await useToken(tx, 'reset_password', hash, ctx.now());
    if (!used) throw new DomainError('invalid_token');
    const { user: before } = used;
    const verifiedUser = { ...before, emailVerified: true };
    const user = await changeLockedPassword(tx, verifiedUser, hashed, ctx.now());
    const about = { subject: user.id, data: { id: user.id }, origin };
    const events: PendingEvent[] = [
      await appendEvent(tx, ctx, 'inline', {
        ...about,
        type: 'user.password_changed',
        sequence: sequenceOf(user.version),
      }),
    ];
    const verified = before.emailVerified ? null : await takeMinorSequence(tx, user.id);
    if (verified !== null) {
      const event = { ...about, type: 'user.email_verified', sequence: verified } as const;
      events.push(await appendEvent(tx, ctx, 'inline', event));
    }
    events.push(
      ...(await endSessions(tx, ctx, 'relay', {
        userId: user.id,
        choice: 'all',
        reason: 'password_changed',
        origin,
      })),
    );
    if (!before.emailVerified) await forgetPasskeys(tx, ctx, user.id, origin);
    return { user, events };
  });
  await ctx.publisher.publish(events);
  return user;
}
