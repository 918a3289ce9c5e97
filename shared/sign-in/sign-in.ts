import type { Context } from '../context/context';
import type { Origin } from '../events/origin';
import { appendEvent } from '../outbox/event-store';
import { openSession, type SessionTokens } from '../sessions/open-session';
import type { UserProof } from '../sessions/proof';
import { takeMinorSequence } from '../users/sequence';
import type { User } from '../users/user';

export interface SignedIn {
  user: User;
  tokens: SessionTokens;
}

/**
 * Opens a session with a proof, whatever method it comes from, and tells everyone.
 * @returns null where the user has changed since it was checked, or is gone: what was proven may be a password that has
 * been changed because somebody else knew it
 */
export function signIn(ctx: Context, proof: UserProof, origin: Origin): Promise<SignedIn | null> {
  const { user } = proof;
  return ctx.db.transaction().execute(async (tx) => {
    // The lock also settles the race with a change of a password, which ends all sessions that exist by then.
    const sequence = await takeMinorSequence(tx, user.id, user.version);
    if (sequence === null) return null;
    const { sessionId, tokens } = await openSession(tx, ctx, proof, origin);
    await appendEvent(tx, ctx, 'relay', {
      type: 'session.created',
      subject: user.id,
      sequence,
      data: { userId: user.id, sessionId, reason: 'login' },
      origin: { ...origin, actorId: user.id },
    });
    await proof.settle?.(tx);
    return { user, tokens };
  });
}
