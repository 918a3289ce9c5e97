import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import type { Origin } from '../events/origin';
import { challengeFactor } from '../factors/challenge';
import { appendEvent } from '../outbox/event-store';
import { openSession, type SessionTokens } from '../sessions/open-session';
import type { FirstFactorProof, UserProof } from '../sessions/proof';
import { takeMinorSequence } from '../users/sequence';
import type { User } from '../users/user';

export interface SignedIn {
  user: User;
  tokens: SessionTokens;
}

/**
 * Opens a session from a proof of any sign-in method and appends `session.created`.
 * @returns null if the user was changed or deleted since the check: the password that was checked may be a leaked one
 * that has just been replaced
 */
export function signIn(ctx: Context, proof: UserProof, origin: Origin): Promise<SignedIn | null> {
  return ctx.db.transaction().execute((tx) => signInWithin(tx, ctx, proof, origin));
}

/** Like `signIn`, in the caller's transaction. */
export async function signInWithin(
  tx: Tx,
  ctx: Context,
  proof: UserProof,
  origin: Origin,
): Promise<SignedIn | null> {
  const { user } = proof;
  // The lock also serializes this with a password change, which ends all sessions that exist by then.
  const sequence = await takeMinorSequence(tx, user.id, user.version);
  if (sequence === null) return null;
  const { sessionId, tokens } = await openSession(tx, ctx, proof, origin);
  await appendEvent(tx, ctx, 'relay', {
    type: 'session.created',
    subject: user.id,
    sequence,
    data: { userId: user.id, sessionId, reason: 'login', amr: [...proof.amr] },
    origin: { ...origin, actorId: user.id },
  });
  await proof.onSignIn?.(tx);
  return { user, tokens };
}

/**
 * Signs in with one factor.
 * @returns null as `signIn` does
 * @throws DomainError `second_factor_required`, with a `factorToken`, if the user has a second factor
 */
export async function signInWithFirstFactor(
  ctx: Context,
  proof: FirstFactorProof,
  origin: Origin,
): Promise<SignedIn | null> {
  if (proof.factors.length > 0) throw await challengeFactor(ctx, proof);
  return signIn(ctx, proof, origin);
}
