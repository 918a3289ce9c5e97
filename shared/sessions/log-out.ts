import type { Context } from '../context';
import type { Origin } from '../events/origin';
import type { Caller } from './authenticate';
import { endSessions } from './end-sessions';

/** Ends the caller's session, or all that they have. */
export async function logOut(ctx: Context, caller: Caller, all: boolean, origin: Origin): Promise<void> {
  const choice = all ? 'all' : { only: caller.sessionId };
  const reason = all ? 'logout_all' : 'logout';
  await ctx.db
    .transaction()
    .execute((tx) => endSessions(tx, ctx, 'relay', caller.user.id, choice, reason, origin));
}
