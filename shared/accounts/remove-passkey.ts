import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { assertMayChangeFactors } from '../factors/assert-may-change-factors';
import { replaceRecoveryCodes } from '../factors/recovery-code-store';
import { appendEvent } from '../outbox/event-store';
import { deletePasskey } from '../passkeys/passkey-store';
import { assertRecentAuthentication } from '../sessions/assert-recent-authentication';
import type { Caller } from '../sessions/authenticate';
import { hasSecondFactor } from '../sessions/session-store';
import { assertCanSignIn } from '../sign-in/assert-can-sign-in';
import { getUserToActFor } from '../users/assert-may-act-for';
import { takeMinorSequence } from '../users/sequence';

/**
 * Removes a passkey; with the last second factor, also the recovery codes. Support does it for users who have lost theirs.
 * @throws DomainError `not_found`, `forbidden`, `reauthentication_required`, `last_sign_in_method`; for a passkey of the
 * caller's own also `rate_limited`
 */
export async function removePasskey(
  ctx: Context,
  caller: Caller,
  userId: string,
  passkeyId: string,
  origin: Origin,
): Promise<void> {
  const user = await getUserToActFor(ctx, caller, userId);
  if (user.id === caller.user.id) await assertMayChangeFactors(ctx, caller);
  else assertRecentAuthentication(ctx, caller);
  await ctx.db.transaction().execute(async (tx) => {
    const sequence = await takeMinorSequence(tx, user.id);
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
