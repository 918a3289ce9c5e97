import type { Context } from '../context';
import type { Origin } from '../events/origin';
import type { Caller } from './authenticate';
import { endSessions } from './end-sessions';

/** Ends the caller's session, or all that they have. */
export async function logOut(ctx: Context, caller: Caller, all: boolean, origin: Origin): Promise<void> {
  const end = {
    userId: caller.user.id,
    choice: all ? ('all' as const) : { only: caller.sessionId },
    reason: all ? ('logout_all' as const) : ('logout' as const),
    origin,
  };
  await ctx.db.transaction().execute((tx) => endSessions(tx, ctx, 'relay', end));
}
