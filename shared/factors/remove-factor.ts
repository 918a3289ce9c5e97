import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { appendEvent } from '../outbox/event-store';
import type { Caller } from '../sessions/authenticate';
import { hasSecondFactor } from '../sessions/session-user-store';
import { deleteFactor } from './factor-store';
import { getUserToRemoveFrom, lockToRemoveFrom } from './lock-to-remove';
import { replaceRecoveryCodes } from './recovery-code-store';

/**
 * Removes a second factor; with the last one, also the recovery codes. Support does it for users who have lost theirs.
 * @throws DomainError `not_found`, or as `getUserToRemoveFrom` and `lockToRemoveFrom` do
 */
export async function removeFactor(
  ctx: Context,
  caller: Caller,
  userId: string,
  factorId: string,
  origin: Origin,
): Promise<void> {
  const user = await getUserToRemoveFrom(ctx, caller, userId);
  await ctx.db.transaction().execute(async (tx) => {
    const sequence = await lockToRemoveFrom(tx, ctx, caller, user.id);
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
