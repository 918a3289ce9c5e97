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
  origin: Origin;
}

/**
 * Ends a user's living sessions in the caller's transaction, with a `session.revoked` for each. Their access tokens
 * stop working with the commit, in every container: each request reads its session.
 * @param sender `inline` where the caller publishes the user's other events of this transaction itself, so that
 * those do not overtake these
 * @returns the events, one for each session that was alive
 */
export async function endSessions(
  tx: Tx,
  ctx: Context,
  sender: 'inline' | 'relay',
  { userId, choice, reason, origin }: SessionsEnd,
): Promise<PendingEvent[]> {
  // First of all, for the lock on the user: a login waits for it, or is seen here.
  let sequence = await takeMinorSequence(tx, userId);
  const events: PendingEvent[] = [];
  for (const sessionId of await markRevoked(tx, userId, choice, ctx.now())) {
    sequence ??= await takeMinorSequence(tx, userId);
    if (sequence === null) break;
    const data = { userId, sessionId, reason };
    const event = { type: 'session.revoked' as const, subject: userId, sequence, data, origin };
    events.push(await appendEvent(tx, ctx, sender, event));
    sequence = null;
  }
  return events;
}
