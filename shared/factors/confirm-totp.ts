import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { appendEvent } from '../outbox/event-store';
import { assertStillSignedIn } from '../sessions/assert-still-signed-in';
import type { Caller } from '../sessions/authenticate';
import { addMethods } from '../sessions/session-store';
import { takeMinorSequence } from '../users/sequence';
import { assertMayChangeFactors } from './assert-may-change-factors';
import { confirmFactor, findSealed } from './factor-store';
import { openSecret } from './sealed-secret';
import { matchStep } from './totp';

/**
 * Makes the authenticator app count, once it has shown the right code: from now on, a login asks for one. The caller's
 * session counts as one with a second factor; the others stay as they are.
 * @returns the factor's id
 * @throws DomainError `not_found` if there is nothing to confirm, `invalid_code`, `unauthorized` if the session has ended
 * meanwhile, or as `addTotp` does
 */
export async function confirmTotp(
  ctx: Context,
  caller: Caller,
  typed: string,
  origin: Origin,
): Promise<string> {
  await assertMayChangeFactors(ctx, caller);
  const { user, sessionId } = caller;
  const [factor] = await findSealed(ctx.db, user.id, 'unconfirmed');
  if (!factor) throw nothingToConfirm();
  const { plain } = openSecret(ctx, factor.secret, factor.id);
  const now = ctx.now();
  const step = matchStep(plain, typed.replace(/\s/g, ''), now, null);
  if (step === null) throw new DomainError('invalid_code');
  await ctx.db.transaction().execute(async (tx) => {
    const sequence = await takeMinorSequence(tx, user.id);
    if (sequence === null) throw new DomainError('unauthorized');
    await assertStillSignedIn(tx, ctx, caller);
    if (!(await confirmFactor(tx, factor.id, step, now))) throw nothingToConfirm();
    await addMethods(tx, sessionId, ['otp', 'mfa']);
    await appendEvent(tx, ctx, 'relay', {
      type: 'user.factor_added',
      subject: user.id,
      sequence,
      data: { id: user.id, factorId: factor.id, factorType: 'totp' },
      origin,
    });
  });
  return factor.id;
}

function nothingToConfirm(): DomainError {
  return new DomainError('not_found', { detail: 'There is no authenticator app to confirm' });
}
