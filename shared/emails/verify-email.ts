import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { appendEvent } from '../events/outbox';
import type { PublishingContext } from '../events/publisher';
import { hashToken } from '../tokens/opaque-token';
import { markEmailVerified } from '../users/credential-store';
import type { User } from '../users/user';
import { sequenceOf } from '../users/user-store';
import { useToken } from './email-token-store';

/**
 * Takes the token as proof of the address that it was sent to. Where that was verified in the meantime, by another
 * mail's link or a password reset, the token is used up all the same, and nothing changes.
 * @throws DomainError `invalid_token` for a token that is wrong, used, expired or for an earlier address
 */
export async function verifyEmail(ctx: PublishingContext, token: string, origin: Origin): Promise<User> {
  const now = ctx.now();
  const { user, events } = await ctx.db.transaction().execute(async (tx) => {
    const owner = await useToken(tx, 'verify_email', hashToken(token), now);
    if (!owner) throw new DomainError('invalid_token');
    if (owner.emailVerified) return { user: owner, events: [] };
    const user = await markEmailVerified(tx, owner.id, now);
    const event = await appendEvent(tx, ctx, 'inline', {
      type: 'user.email_verified',
      subject: user.id,
      sequence: sequenceOf(user.version),
      data: user,
      // Whoever reads the mail acts as the user.
      origin: { ...origin, actorId: user.id },
    });
    return { user, events: [event] };
  });
  await ctx.publisher.publish(events);
  return user;
}
