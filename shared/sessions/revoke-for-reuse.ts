import type { Context } from '../context/context';
import type { Origin } from '../events/origin';
import { appendEvent } from '../outbox/event-store';
import { takeMinorSequence } from '../users/sequence';
import { endSessions } from './end-sessions';
import { isActive } from './session-store';

/**
 * Ends a session whose refresh token was used by two parties. It is unknown which one is the thief, so both must log in
 * again (RFC 9700, section 4.14.2). Runs in its own transaction, which locks the user before the session, as everything
 * that ends sessions does.
 * @param withinGrace whether the reuse came within the grace period, but from another client
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
    if (sequence === null || !(await isActive(tx, sessionId, ctx.now()))) return;
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
  ctx.log.warn('A refresh token was reused: its session was ended', {
    userId,
    sessionId,
    withinGrace,
  });
}
