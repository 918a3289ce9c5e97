import type { Origin } from '../events/origin';
import { appendEvent } from '../outbox/event-store';
import type { PublishingContext } from '../outbox/publisher';
import { assertMayGrantRole } from '../roles/assert-may-grant-role';
import type { Caller } from '../sessions/authenticate';
import { assertNotLastAdmin } from '../users/last-admin';
import { sequenceOf } from '../users/sequence';
import type { User } from '../users/user';
import { updateRole } from '../users/user-store';
import { lockUserToChange } from './lock-user';

/**
 * Changes a user's role. Takes effect with their next request, regardless of the role in their access tokens.
 * @throws DomainError `not_found`, `forbidden`, `last_admin`, or `invalid_request` for an unknown role
 */
export async function changeRole(
  ctx: PublishingContext,
  caller: Caller,
  id: string,
  role: string,
  versions: number[] | null,
  origin: Origin,
): Promise<User> {
  const { user, events } = await ctx.db.transaction().execute(async (tx) => {
    const before = await lockUserToChange(tx, ctx, caller, id, versions);
    await assertMayGrantRole(tx, role, caller.permissions);
    if (before.role === role) return { user: before, events: [] };
    if (before.role === 'admin') await assertNotLastAdmin(tx, ctx, before.id);
    const user = await updateRole(tx, before.id, role, ctx.now());
    const event = await appendEvent(tx, ctx, 'inline', {
      type: 'user.role_changed',
      subject: user.id,
      sequence: sequenceOf(user.version),
      data: { id: user.id, from: before.role, to: role },
      origin,
    });
    return { user, events: [event] };
  });
  await ctx.publisher.publish(events);
  return user;
}
