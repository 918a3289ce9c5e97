import type { Context } from '../context';
import type { Tx } from '../db/connection';
import type { EventData } from '../events/catalog';
import type { Origin } from '../events/origin';
import { appendEvent, type PendingEvent } from '../events/outbox';
import { takeMinorSequence } from '../users/user-store';
import { revokeSessions } from './session-store';

export interface EndSessions {
  /** The session that stays: that of whoever asks. */
  except?: string;
  reason: EventData<'session.revoked'>['reason'];
  origin: Origin;
}

/**
 * Ends all of a user's sessions, each with its `session.revoked`, in the caller's transaction, which holds a lock on
 * the user. From its commit on, no token of theirs works anywhere.
 */
export async function endSessions(
  tx: Tx,
  ctx: Context,
  userId: string,
  { except, reason, origin }: EndSessions,
): Promise<PendingEvent[]> {
  const pending: PendingEvent[] = [];
  for (const sessionId of await revokeSessions(tx, userId, ctx.now(), except ?? null)) {
    const sequence = await takeMinorSequence(tx, userId);
    if (sequence === null) throw new Error('The user is gone, although the caller holds a lock on it');
    const data = { userId, sessionId, reason };
    const event = { type: 'session.revoked', subject: userId, sequence, data, origin } as const;
    pending.push(await appendEvent(tx, ctx, 'relay', event));
  }
  return pending;
}
