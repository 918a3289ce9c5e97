import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import type { EventData } from '../events/catalog';
import type { Origin } from '../events/origin';
import { appendEvent, type PendingEvent } from '../outbox/event-store';
import { takeMinorSequence } from '../users/sequence';
import { markRevoked, type SessionChoice } from './session-store';

export interface SessionsEnd {
  userId: string;
  choice: SessionChoice;
  reason: EventData<'session.revoked'>['reason'];
  cause?: 'user_suspended';
  origin: Origin;
}

/**
 * Ends a user's active sessions in the caller's transaction and appends `session.revoked` for each. Their access tokens
 * stop working with the commit, because every request reads its session.
 * @param sender `inline` if the caller publishes later events of this user inline, so that those do not overtake these
 * @returns the events, one per ended session
 */
export async function endSessions(
  tx: Tx,
  ctx: Context,
  sender: 'inline' | 'relay',
  { userId, choice, reason, cause, origin }: SessionsEnd,
): Promise<PendingEvent[]> {
  // First, because it locks the user: a concurrent login either waits or its session is seen below.
  let sequence = await takeMinorSequence(tx, userId);
  const events: PendingEvent[] = [];
  for (const sessionId of await markRevoked(tx, userId, choice, ctx.now())) {
    sequence ??= await takeMinorSequence(tx, userId);
    if (sequence === null) break;
    const data = { userId, sessionId, reason, cause };
    const event = { type: 'session.revoked' as const, subject: userId, sequence, data, origin };
    events.push(await appendEvent(tx, ctx, sender, event));
    sequence = null;
  }
  return events;
}
