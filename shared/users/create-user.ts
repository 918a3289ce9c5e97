import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import type { Origin } from '../events/origin';
import { appendEvent, type PendingEvent } from '../outbox/event-store';
import { sequenceOf } from './sequence';
import type { User } from './user';
import { insertUser, type NewUser } from './user-store';

/**
 * A user with their `user.created`, in the caller's transaction: every path that makes a single user ends here.
 * @throws DomainError `username_taken` or `email_taken`
 */
export async function createUser(
  tx: Tx,
  ctx: Context,
  sender: 'inline' | 'relay',
  input: Omit<NewUser, 'id' | 'now'> & { id?: string },
  origin: Origin,
): Promise<{ user: User; event: PendingEvent }> {
  const user = await insertUser(tx, { ...input, id: input.id ?? ctx.newId(), now: ctx.now() });
  const event = await appendEvent(tx, ctx, sender, {
    type: 'user.created',
    subject: user.id,
    sequence: sequenceOf(user.version),
    data: user,
    // Whoever registers acts for themselves.
    origin: { ...origin, actorId: origin.actorId ?? user.id },
  });
  return { user, event };
}
