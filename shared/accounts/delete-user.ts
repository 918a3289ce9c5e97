import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import { eraseFromEvents } from '../event-operations/erase-store';
import type { Origin } from '../events/origin';
import { appendEvent, type PendingEvent } from '../outbox/event-store';
import type { PublishingContext } from '../outbox/publisher';
import { assertRecentAuthentication } from '../sessions/assert-recent-authentication';
import type { Caller } from '../sessions/authenticate';
import { endSessions } from '../sessions/end-sessions';
import { assertNotLastAdmin } from '../users/last-admin';
import { sequenceOf } from '../users/sequence';
import type { User } from '../users/user';
import { deleteUserRow } from '../users/user-store';
import { eraseResponses } from '../webhooks/delivery-store';
import { lockUserToChange } from './lock-user';

/**
 * Deletes a user, ends their sessions, frees their username and address, and erases their personal data from the event
 * log, including unsent events: consumers learn that the user was created and deleted, but not who it was. Also erases
 * webhook responses to their events.
 * @returns the deleted user
 * @throws DomainError `not_found`, `forbidden`, `version_mismatch` or `last_admin`; `reauthentication_required` if users
 * delete themselves without a recent authentication
 */
export async function deleteUser(
  ctx: PublishingContext,
  caller: Caller,
  id: string,
  versions: number[] | null,
  origin: Origin,
): Promise<User> {
  if (id === caller.user.id) assertRecentAuthentication(ctx, caller);
  const { user, events } = await ctx.db.transaction().execute(async (tx) => {
    const user = await lockUserToChange(tx, ctx, caller, id, versions);
    return { user, events: await deleteLocked(tx, ctx, user, origin) };
  });
  await ctx.publisher.publish(events);
  return user;
}

/**
 * Deletes a user whom the caller has locked, with all that `deleteUser` does.
 * @throws DomainError `last_admin`
 */
export async function deleteLocked(
  tx: Tx,
  ctx: Context,
  user: User,
  origin: Origin,
): Promise<PendingEvent[]> {
  if (user.role === 'admin') await assertNotLastAdmin(tx, ctx, user.id);
  const end = { userId: user.id, choice: 'all', reason: 'user_deleted', origin } as const;
  const ended = await endSessions(tx, ctx, 'inline', end);
  const deleted = await appendEvent(tx, ctx, 'inline', {
    type: 'user.deleted',
    subject: user.id,
    sequence: sequenceOf(user.version + 1),
    data: { id: user.id },
    origin,
  });
  await eraseFromEvents(tx, user.id);
  await eraseResponses(tx, user.id);
  await deleteUserRow(tx, user.id);
  return [...ended, deleted];
}
