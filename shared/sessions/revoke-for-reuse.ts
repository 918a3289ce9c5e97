import type { Context } from '../context/context';
import type { Origin } from '../events/origin';
import { appendEvent } from '../outbox/event-store';
import { takeMinorSequence } from '../users/sequence';
import { endSessions } from './end-sessions';
import { isAlive } from './session-store';

/**
 * Ends a session whose refresh token was used by two parties. Which of them is the thief cannot be told, so both have
 * to log in again (RFC 9700, section 4.14.2). A transaction of its own: it locks the user first, then the session,
 * as everything does that ends sessions.
 * @param withinGrace whether it came soon enough after its first use, and from another client
 */
export async function revokeForReuse(
  ctx: Context,
  userId: string,
  sessionId: string,
  origin: Origin,
  withinGrace: boolean,
): Promise<void> {
  await ctx.db.transaction().execute(async (tx) => {
    const sequence = await takeMinorSequence(tx, userId);
    if (sequence === null || !(await isAlive(tx, sessionId, ctx.now()))) return;
    await appendEvent(tx, ctx, 'relay', {
      type: 'session.reuse_detected',
      subject: userId,
      sequence,
      data: { userId, sessionId, reason: 'refresh_token_reused' },
      origin,
    });
    const choice = { only: sessionId };
    await endSessions(tx, ctx, 'relay', { userId, choice, reason: 'reuse_detected', origin });
  });
  ctx.log.warn('A refresh token was used again: its session has been ended', {
    userId,
    sessionId,
    withinGrace,
  });
}
