import type { Context } from '../context/context';
import { getUserToActFor } from '../users/assert-may-act-for';
import type { Caller } from './authenticate';
import { listLivingSessions, type Session } from './session-store';

/**
 * A user's living sessions, marking the one that is asking.
 * @throws DomainError `not_found` or `forbidden`
 */
export async function listSessions(
  ctx: Context,
  caller: Caller,
  userId: string,
): Promise<(Session & { current: boolean })[]> {
  const user = await getUserToActFor(ctx, caller, userId);
  const sessions = await listLivingSessions(ctx.db, user.id, ctx.now());
  return sessions.map((session) => ({ ...session, current: session.id === caller.sessionId }));
}
