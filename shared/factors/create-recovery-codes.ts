import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { appendEvent } from '../outbox/event-store';
import { assertStillSignedIn } from '../sessions/assert-still-signed-in';
import type { Caller } from '../sessions/authenticate';
import { hasSecondFactor } from '../sessions/session-user-store';
import { takeMinorSequence } from '../users/sequence';
import { assertMayChangeFactors } from './assert-may-change-factors';
import { hashRecoveryCode, newRecoveryCodes } from './recovery-code';
import { replaceRecoveryCodes } from './recovery-code-store';

/**
 * Creates ten recovery codes in the place of all earlier ones. Only their hashes are stored.
 * @throws DomainError `no_second_factor`, `unauthorized` if the session has ended meanwhile, or as `assertMayChangeFactors` does
 */
export async function createRecoveryCodes(ctx: Context, caller: Caller, origin: Origin): Promise<string[]> {
  await assertMayChangeFactors(ctx, caller);
  const { id } = caller.user;
  const codes = newRecoveryCodes();
  await ctx.db.transaction().execute(async (tx) => {
    const sequence = await takeMinorSequence(tx, id);
    if (sequence === null) throw new DomainError('unauthorized');
    await assertStillSignedIn(tx, ctx, caller);
    if (!(await hasSecondFactor(tx, id))) throw new DomainError('no_second_factor');
    await replaceRecoveryCodes(tx, id, codes.map(hashRecoveryCode));
    await appendEvent(tx, ctx, 'relay', {
      type: 'user.recovery_codes_created',
      subject: id,
      sequence,
      data: { id },
      origin,
    });
  });
  return codes;
}
