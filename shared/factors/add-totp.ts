import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Caller } from '../sessions/authenticate';
import { lockUserRow } from '../users/user-store';
import { assertMayChangeFactors } from './assert-may-change-factors';
import { countFactors, insertFactor } from './factor-store';
import { sealSecret } from './sealed-secret';
import { type NewSecret, newSecret } from './totp';

/** Enough for a phone and a spare. Every further app makes guessing a code easier. */
const MAX_FACTORS = 3;

/**
 * Creates the secret of an authenticator app. It counts for nothing until `confirmTotp`, and replaces an earlier one that
 * was never confirmed.
 * @throws DomainError `too_many_factors`, `unavailable` without `ENCRYPTION_KEYS`, or as `assertMayChangeFactors` does
 */
export async function addTotp(
  ctx: Context,
  caller: Caller,
): Promise<Omit<NewSecret, 'bytes'> & { factorId: string }> {
  await assertMayChangeFactors(ctx, caller);
  const { user } = caller;
  const factorId = ctx.newId();
  const { bytes, ...created } = newSecret(ctx.config.mail.appName, user.username);
  const sealed = sealSecret(ctx, bytes, factorId);
  await ctx.db.transaction().execute(async (tx) => {
    if (!(await lockUserRow(tx, user.id))) throw new DomainError('unauthorized');
    if ((await countFactors(tx, user.id)) >= MAX_FACTORS) throw new DomainError('too_many_factors');
    await insertFactor(tx, { id: factorId, userId: user.id, secret: sealed, now: ctx.now() });
  });
  return { factorId, ...created };
}
