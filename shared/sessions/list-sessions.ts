import type { Context } from '../context/context';
import { getUserToActFor } from '../users/assert-may-act-for';
import type { Caller } from './authenticate';
import { listActiveSessions, type Session } from './session-store';

/**
 * A user's active sessions. `current` marks the caller's own.
 * @throws DomainError `not_found` or `forbidden`
 */
export async function listSessions(
  ctx: Context,
  caller: Caller,
  userId: string,
): Promise<(Session & { current: boolean })[]> {
  const user = await getUserToActFor(ctx, caller, userId);
  const sessions = await listActiveSessions(ctx.db, user.id, ctx.now());
  return sessions.map((session) => ({ ...session, current: session.id === caller.sessionId }));
}
