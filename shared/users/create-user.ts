import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import type { Origin } from '../events/origin';
import { appendEvent, type PendingEvent } from '../outbox/event-store';
import { sequenceOf } from './sequence';
import type { User } from './user';
import { insertUser, type NewUser } from './user-store';

/**
 * Inserts a user and appends `user.created`, in the caller's transaction.
 * @throws DomainError `username_taken` or `email_taken`
 */
export async function createUser(
  tx: Tx,
  ctx: Context,
  sender: 'inline' | 'relay',
  input: Omit<NewUser, 'id' | 'now'>,
  origin: Origin,
): Promise<{ user: User; event: PendingEvent }> {
  const user = await insertUser(tx, { ...input, id: ctx.newId(), now: ctx.now() });
  return { user, event: await appendUserCreated(tx, ctx, sender, user, origin) };
}

/** Appends `user.created` to the transaction that has inserted the user. */
export function appendUserCreated(
  tx: Tx,
  ctx: Context,
  sender: 'inline' | 'relay',
  user: User,
  origin: Origin,
): Promise<PendingEvent> {
  return appendEvent(tx, ctx, sender, {
    type: 'user.created',
    subject: user.id,
    sequence: sequenceOf(user.version),
    data: user,
    // Users who register are their own actors.
    origin: { ...origin, actorId: origin.actorId ?? user.id },
  });
}
