import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { appendEvent } from '../outbox/event-store';
import type { PublishingContext } from '../outbox/publisher';
import { hashToken } from '../tokens/opaque-token';
import { isSameAddress } from '../users/email-address';
import { sequenceOf } from '../users/sequence';
import type { User } from '../users/user';
import { updateUserRow } from '../users/user-store';
import { confirmEmailChange } from './confirm-email-change';
import { useToken } from './email-token-store';

/**
 * Verifies the address that the token was sent to. A pending address becomes the user's address. If the address has been
 * verified meanwhile, by another link or a password reset, only uses the token.
 * @throws DomainError `invalid_token` for a token that is invalid, used, expired or for an address that is not theirs;
 * `email_taken` if another user has the address by now (the token stays valid)
 */
export async function verifyEmail(
  ctx: PublishingContext,
  token: string,
  requestOrigin: Origin,
): Promise<User> {
  const now = ctx.now();
  const { user, events } = await ctx.db.transaction().execute(async (tx) => {
    const owner = await useToken(tx, 'verify_email', hashToken(token), now);
    if (!owner) throw new DomainError('invalid_token');
    const { user: before, address } = owner;
    // The token identifies the actor: whoever can read the email acts as the user.
    const origin = { ...requestOrigin, actorId: before.id };
    if (before.pendingEmail !== null && isSameAddress(before.pendingEmail, address)) {
      return confirmEmailChange(tx, ctx, before, before.pendingEmail, origin);
    }
    if (before.emailVerified) return { user: before, events: [] };
    const user = await updateUserRow(tx, { ...before, emailVerified: true }, now);
    const event = await appendEvent(tx, ctx, 'inline', {
      type: 'user.email_verified',
      subject: user.id,
      sequence: sequenceOf(user.version),
      data: user,
      origin,
    });
    return { user, events: [event] };
  });
  await ctx.publisher.publish(events);
  return user;
}
