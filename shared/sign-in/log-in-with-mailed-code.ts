import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import { forgetUnproven } from '../email-addresses/forget-unproven';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { checkMailedCode } from '../mailed-codes/check-mailed-code';
import type { MailedCode } from '../mailed-codes/fields';
import { appendEvent } from '../outbox/event-store';
import type { FirstFactorProof } from '../sessions/proof';
import { appendUpdate } from '../users/append-update';
import { sequenceOf, takeMinorSequence } from '../users/sequence';
import { activeSuspension } from '../users/suspension';
import type { User } from '../users/user';
import { updateUserRow } from '../users/user-store';
import { type SignedIn, signIn, signInWithFirstFactor, signInWithin } from './sign-in';

/**
 * Checks a mailed code and opens a session. The code also proves the address. If nobody had proven it before, nothing that
 * was set up until then is trusted: `forgetUnproven`.
 * @throws DomainError as `proveMailedCode` does; `second_factor_required` if the code is right, the address was verified
 * before, and the user has a second factor; `user_suspended`
 */
export async function logInWithMailedCode(ctx: Context, sent: MailedCode, origin: Origin): Promise<SignedIn> {
  const checked = await checkMailedCode(ctx, sent, origin);
  // The second time, because the user was changed between check and lock.
  const signedIn =
    (await signInByMail(ctx, checked.proof, origin)) ??
    (await signInByMail(ctx, await checked.recheck(), origin));
  if (!signedIn) throw new DomainError('invalid_token');
  return signedIn;
}

function signInByMail(ctx: Context, proof: FirstFactorProof, origin: Origin): Promise<SignedIn | null> {
  ctx.log.bind({ userId: proof.user.id });
  if (proof.user.emailVerified) return signInWithFirstFactor(ctx, proof, origin);
  // To be refused: nothing is changed for somebody who does not get in.
  if (activeSuspension(proof.user, ctx.now()) !== null) return signIn(ctx, proof, origin);
  return ctx.db.transaction().execute(async (tx) => {
    const { user: before, onSignIn } = proof;
    // Locks the user: whatever is being set up meanwhile either is seen below or finds its session ended.
    if ((await takeMinorSequence(tx, before.id, before.version)) === null) return null;
    await onSignIn(tx);
    const user = await verifyAddress(tx, ctx, before, { ...origin, actorId: before.id });
    return signInWithin(tx, ctx, { ...proof, user, onSignIn: async () => {} }, origin);
  });
}

/** Verifies the address of a user whom the caller has locked, and forgets what was set up before. */
async function verifyAddress(tx: Tx, ctx: Context, before: User, origin: Origin): Promise<User> {
  const user = await updateUserRow(tx, { ...before, emailVerified: true, pendingEmail: null }, ctx.now());
  const updates = await appendUpdate(tx, ctx, before, user, origin, 'relay');
  const sequence = updates.length === 0 ? sequenceOf(user.version) : await takeMinorSequence(tx, user.id);
  if (sequence === null) throw new Error('The user is not locked');
  await appendEvent(tx, ctx, 'relay', {
    type: 'user.email_verified',
    subject: user.id,
    sequence,
    data: { id: user.id },
    origin,
  });
  await forgetUnproven(tx, ctx, user.id, origin);
  return user;
}
