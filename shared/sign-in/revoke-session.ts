import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { assertRecentAuthentication } from '../sessions/assert-recent-authentication';
import type { Caller } from '../sessions/authenticate';
import { endSessions } from '../sessions/end-sessions';
import { getUserToActFor } from '../users/assert-may-act-for';

/**
 * Ends one session of a user. To end another session of your own requires a recent authentication.
 * @throws DomainError `not_found`, also if the session has already ended, `forbidden`, or `reauthentication_required`
 */
export async function revokeSession(
  ctx: Context,
  caller: Caller,
  userId: string,
  sessionId: string,
  origin: Origin,
): Promise<void> {
  const user = await getUserToActFor(ctx, caller, userId);
  // A stolen token must not be enough to log its owner out elsewhere.
  const isOther = sessionId.toLowerCase() !== caller.sessionId;
  if (user.id === caller.user.id && isOther) assertRecentAuthentication(ctx, caller);
  const end = { userId: user.id, choice: { only: sessionId }, reason: 'revoked' as const, origin };
  const ended = await ctx.db.transaction().execute((tx) => endSessions(tx, ctx, 'relay', end));
  if (ended.length === 0) throw notFound();
}

/**
 * Ends all sessions of a user. To end your own requires a recent authentication.
 * @returns how many
 * @throws DomainError `not_found`, `forbidden` or `reauthentication_required`
 */
export async function revokeSessions(
  ctx: Context,
  caller: Caller,
  userId: string,
  origin: Origin,
): Promise<number> {
  const user = await getUserToActFor(ctx, caller, userId);
  if (user.id === caller.user.id) assertRecentAuthentication(ctx, caller);
  const end = { userId: user.id, choice: 'all', reason: 'revoked', origin } as const;
  const ended = await ctx.db.transaction().execute((tx) => endSessions(tx, ctx, 'relay', end));
  return ended.length;
}

function notFound(): DomainError {
  return new DomainError('not_found', { detail: 'Session not found' });
}
