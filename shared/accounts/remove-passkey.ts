import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { getUserToRemoveFrom, lockToRemoveFrom } from '../factors/lock-to-remove';
import { replaceRecoveryCodes } from '../factors/recovery-code-store';
import { appendEvent } from '../outbox/event-store';
import { deletePasskey } from '../passkeys/passkey-store';
import type { Caller } from '../sessions/authenticate';
import { hasSecondFactor } from '../sessions/session-user-store';
import { assertCanSignIn } from '../sign-in/assert-can-sign-in';

/**
 * Removes a passkey; with the last second factor, also the recovery codes. Support does it for users who have lost theirs.
 * @throws DomainError `not_found`, `last_sign_in_method`, or as `getUserToRemoveFrom` and `lockToRemoveFrom` do
 */
export async function removePasskey(
  ctx: Context,
  caller: Caller,
  userId: string,
  passkeyId: string,
  origin: Origin,
): Promise<void> {
  const user = await getUserToRemoveFrom(ctx, caller, userId);
  await ctx.db.transaction().execute(async (tx) => {
    const sequence = await lockToRemoveFrom(tx, ctx, caller, user.id);
    if (sequence === null || !(await deletePasskey(tx, user.id, passkeyId))) {
      throw new DomainError('not_found', { detail: 'Passkey not found' });
    }
    await assertCanSignIn(tx, ctx, user.id);
    if (!(await hasSecondFactor(tx, user.id))) await replaceRecoveryCodes(tx, user.id, []);
    await appendEvent(tx, ctx, 'relay', {
      type: 'user.passkey_removed',
      subject: user.id,
      sequence,
      data: { id: user.id, passkeyId },
      origin,
    });
  });
}
