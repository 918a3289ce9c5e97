import type { Context } from '../context/context';
import type { Origin } from '../events/origin';
import { provePassword } from '../passwords/prove-password';
import { assertRecentAuthentication } from '../sessions/assert-recent-authentication';
import type { Caller } from '../sessions/authenticate';
import { endSessions } from '../sessions/end-sessions';

/**
 * Ends the caller's session, or all of their sessions.
 * @param all requires the password or a recent authentication, so that a stolen token cannot log its owner out
 * @throws DomainError `reauthentication_required`, `invalid_credentials` or `rate_limited`; then no session ends
 */
export async function logOut(
  ctx: Context,
  caller: Caller,
  { all, currentPassword }: { all: boolean; currentPassword?: string | undefined },
  origin: Origin,
): Promise<void> {
  if (all && currentPassword !== undefined) await provePassword(ctx, caller.user.id, currentPassword, origin);
  else if (all) assertRecentAuthentication(ctx, caller);

  if (!all) return logOutHere(ctx, caller, origin);
  const end = { userId: caller.user.id, choice: 'all' as const, reason: 'logout_all' as const, origin };
  await ctx.db.transaction().execute((tx) => endSessions(tx, ctx, 'relay', end));
}

/** Ends the caller's session. */
export async function logOutHere(ctx: Context, { user, sessionId }: Caller, origin: Origin): Promise<void> {
  const end = { userId: user.id, choice: { only: sessionId }, reason: 'logout' as const, origin };
  await ctx.db.transaction().execute((tx) => endSessions(tx, ctx, 'relay', end));
}
