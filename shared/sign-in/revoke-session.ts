import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { assertRecentlyProven } from '../sessions/assert-recently-proven';
import type { Caller } from '../sessions/authenticate';
import { endSessions } from '../sessions/end-sessions';
import { getUserToActFor } from '../users/assert-may-act-for';

/**
 * Ends one session of a user. Another one of one's own takes a recent proof of the password.
 * @throws DomainError `not_found`, for one that has ended already too, `forbidden`, or `reauthentication_required`
 */
export async function revokeSession(
  ctx: Context,
  caller: Caller,
  userId: string,
  sessionId: string,
  origin: Origin,
): Promise<void> {
  const user = await getUserToActFor(ctx, caller, userId);
  // A stolen token must not turn the owner out of where they are logged in.
  const isOther = sessionId.toLowerCase() !== caller.sessionId;
  if (user.id === caller.user.id && isOther) assertRecentlyProven(ctx, caller);
  const end = { userId: user.id, choice: { only: sessionId }, reason: 'revoked' as const, origin };
  const ended = await ctx.db.transaction().execute((tx) => endSessions(tx, ctx, 'relay', end));
  if (ended.length === 0) throw notFound();
}

function notFound(): DomainError {
  return new DomainError('not_found', { detail: 'There is no such session' });
}
