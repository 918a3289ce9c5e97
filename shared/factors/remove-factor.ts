import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { appendEvent } from '../outbox/event-store';
import { assertRecentAuthentication } from '../sessions/assert-recent-authentication';
import type { Caller } from '../sessions/authenticate';
import { hasSecondFactor } from '../sessions/session-store';
import { getUserToActFor } from '../users/assert-may-act-for';
import { takeMinorSequence } from '../users/sequence';
import { assertMayChangeFactors } from './assert-may-change-factors';
import { deleteFactor } from './factor-store';
import { replaceRecoveryCodes } from './recovery-code-store';

/**
 * Removes a second factor; with the last one, also the recovery codes. Support does it for users who have lost theirs.
 * @throws DomainError `not_found`, `forbidden`, or `reauthentication_required`; for a factor of the caller's own also
 * `rate_limited`
 */
export async function removeFactor(
  ctx: Context,
  caller: Caller,
  userId: string,
  factorId: string,
  origin: Origin,
): Promise<void> {
  const user = await getUserToActFor(ctx, caller, userId);
  if (user.id === caller.user.id) await assertMayChangeFactors(ctx, caller);
  else assertRecentAuthentication(ctx, caller);
  await ctx.db.transaction().execute(async (tx) => {
    const sequence = await takeMinorSequence(tx, user.id);
    const removed = sequence === null ? null : await deleteFactor(tx, user.id, factorId);
    if (sequence === null || !removed) throw new DomainError('not_found', { detail: 'Factor not found' });
    if (!removed.wasConfirmed) return;
    if (!(await hasSecondFactor(tx, user.id))) await replaceRecoveryCodes(tx, user.id, []);
    await appendEvent(tx, ctx, 'relay', {
      type: 'user.factor_removed',
      subject: user.id,
      sequence,
      data: { id: user.id, factorId, factorType: removed.type },
      origin,
    });
  });
}
