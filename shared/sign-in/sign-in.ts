import { recordFailedSignIn } from '../audit/record-sign-in';
import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import { inOneTrip } from '../db/in-one-trip';
import type { Origin } from '../events/origin';
import { challengeFactor } from '../factors/challenge';
import { appendEvent } from '../outbox/event-store';
import { guessedName } from '../passwords/count-guess';
import { openSession, type SessionTokens } from '../sessions/open-session';
import type { FirstFactorProof, UserProof } from '../sessions/proof';
import { suspended } from '../sessions/suspended';
import { takeMinorSequence } from '../users/sequence';
import { activeSuspension, type Suspension } from '../users/suspension';
import type { User } from '../users/user';

export interface SignedIn {
  user: User;
  tokens: SessionTokens;
}

/**
 * Opens a session from a proof of any sign-in method and appends `session.created`. Suspended users are refused here: after
 * the proof, so that nobody else learns of it. A login that was under way when the suspension was committed finds another
 * version of the user, and is checked again.
 * @returns null if the user was changed, suspended, restored or deleted since the check: the password that was checked may be
 * a leaked one that has just been replaced
 * @throws DomainError `user_suspended`
 */
export async function signIn(ctx: Context, proof: UserProof, origin: Origin): Promise<SignedIn | null> {
  const suspension = activeSuspension(proof.user, ctx.now());
  if (suspension !== null) return refuse(ctx, proof, suspension, origin);
  return ctx.db.transaction().execute((tx) => signInWithin(tx, ctx, proof, origin));
}

/** The proof is used up all the same: a code or an assertion must not work a second time after the suspension. */
async function refuse(
  ctx: Context,
  { user, onSignIn }: UserProof,
  suspension: Suspension,
  origin: Origin,
): Promise<null> {
  const isCurrent = await ctx.db.transaction().execute(async (tx) => {
    if ((await takeMinorSequence(tx, user.id, user.version)) === null) return false;
    await onSignIn?.(tx);
    const name = guessedName({ username: user.username });
    const failed = { name, userId: user.id, method: 'login', reason: 'suspended' } as const;
    await recordFailedSignIn({ ...ctx, db: tx }, failed, origin);
    return true;
  });
  if (isCurrent) throw suspended(suspension);
  return null;
}

/** Like `signIn`, in the caller's transaction, which an error rolls back. */
export async function signInWithin(
  tx: Tx,
  ctx: Context,
  proof: UserProof,
  origin: Origin,
): Promise<SignedIn | null> {
  const { user } = proof;
  // The lock also serializes this with a suspension or a password change, which end all sessions that exist by then.
  const sequence = await takeMinorSequence(tx, user.id, user.version);
  if (sequence === null) return null;
  const sessionId = ctx.newId();
  const [tokens] = await inOneTrip(tx, (together) => [
    openSession(together, ctx, sessionId, proof, origin),
    appendEvent(together, ctx, 'relay', {
      type: 'session.created',
      subject: user.id,
      sequence,
      data: { userId: user.id, sessionId, reason: 'login', amr: [...proof.amr] },
      origin: { ...origin, actorId: user.id },
    }),
    proof.onSignIn?.(together),
  ]);
  return { user, tokens };
}

/**
 * Signs in with one factor.
 * @returns null as `signIn` does
 * @throws DomainError `second_factor_required`, with a `factorToken`, if the user has a second factor: also if they are
 * suspended, which one factor is not enough to learn; otherwise `user_suspended`
 */
export async function signInWithFirstFactor(
  ctx: Context,
  proof: FirstFactorProof,
  origin: Origin,
): Promise<SignedIn | null> {
  if (proof.factors.length === 0) return signIn(ctx, proof, origin);
  const challenge = await challengeFactor(ctx, proof);
  if (challenge) throw challenge;
  return null;
}
