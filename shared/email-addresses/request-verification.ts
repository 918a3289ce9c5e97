import type { Context } from '../context/context';
import type { Origin } from '../events/origin';
import { appendEvent } from '../outbox/event-store';
import { limitMail } from '../rate-limits/limit-mail';
import { takeMinorSequence } from '../users/sequence';
import type { User } from '../users/user';

/**
 * Requests another verification email. Does nothing if the user has no unverified address.
 * @throws DomainError `rate_limited`
 */
export async function requestVerification(ctx: Context, user: User, origin: Origin): Promise<void> {
  const unproven = user.pendingEmail ?? (user.emailVerified ? null : user.email);
  if (unproven === null) return;
  await ctx.db.transaction().execute(async (tx) => {
    const sequence = await takeMinorSequence(tx, user.id);
    // The user was deleted after authentication.
    if (sequence === null) return;
    await limitMail({ ...ctx, db: tx }, unproven, user.id);
    await appendEvent(tx, ctx, 'relay', {
      type: 'user.verification_requested',
      subject: user.id,
      sequence,
      data: { id: user.id },
      origin,
    });
  });
}
