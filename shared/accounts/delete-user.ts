import { eraseFromEvents } from '../event-operations/erase-store';
import type { Origin } from '../events/origin';
import { appendEvent } from '../outbox/event-store';
import type { PublishingContext } from '../outbox/publisher';
import { assertRecentlyProven } from '../sessions/assert-recently-proven';
import type { Caller } from '../sessions/authenticate';
import { endSessions } from '../sessions/end-sessions';
import { assertNotLastAdmin } from '../users/last-admin';
import { sequenceOf } from '../users/sequence';
import type { User } from '../users/user';
import { deleteUserRow } from '../users/user-store';
import { eraseResponses } from '../webhooks/delivery-store';
import { lockUserToChange } from './lock-user';

/**
 * Deletes a user: their sessions end, their names are free again, and what the event log knows of them as a person is
 * erased, also from events that are still to be sent: consumers see that they were created and deleted, not who they
 * were. So is what webhooks answered to their events.
 * @returns the user as they were
 * @throws DomainError `not_found`, `forbidden`, `version_mismatch` or `last_admin`; `reauthentication_required` for
 * oneself without a recent proof of the password
 */
export async function deleteUser(
  ctx: PublishingContext,
  caller: Caller,
  id: string,
  versions: number[] | null,
  origin: Origin,
): Promise<User> {
  if (id === caller.user.id) assertRecentlyProven(ctx, caller);
  const { user, events } = await ctx.db.transaction().execute(async (tx) => {
    const user = await lockUserToChange(tx, ctx, caller, id, versions);
    if (user.role === 'admin') await assertNotLastAdmin(tx);
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
    return { user, events: [...ended, deleted] };
  });
  await ctx.publisher.publish(events);
  return user;
}
