import { isDeepStrictEqual } from 'node:util';
import type { Origin } from '../events/origin';
import { appendEvent } from '../events/outbox';
import type { PublishingContext } from '../events/publisher';
import type { Caller } from '../sessions/authenticate';
import { lockUserToChange } from './lock-user';
import type { User } from './user';
import { sequenceOf, updateUserRow } from './user-store';

/** Fields that are left out stay as they are. */
export type UserUpdate = Partial<Pick<User, 'username' | 'email' | 'displayName' | 'metadata'>>;

const FIELDS = ['username', 'email', 'displayName', 'metadata'] as const;

/**
 * Changes a user and tells everyone what changed, from what to what. Where nothing did, nothing happens. A new e-mail
 * address is unverified again.
 * @throws DomainError `not_found`, `forbidden`, `version_mismatch`, `username_taken` or `email_taken`
 */
export async function updateUser(
  ctx: PublishingContext,
  caller: Caller,
  id: string,
  update: UserUpdate,
  versions: number[] | null,
  origin: Origin,
): Promise<User> {
  const { user, events } = await ctx.db.transaction().execute(async (tx) => {
    const before = await lockUserToChange(tx, ctx, caller, id, versions);
    const changed = FIELDS.filter(
      (field) => update[field] !== undefined && !isDeepStrictEqual(stored(update[field]), before[field]),
    );
    if (changed.length === 0) return { user: before, events: [] };
    const verified = before.emailVerified && !changed.includes('email');
    const user = await updateUserRow(tx, { ...before, ...update, emailVerified: verified }, ctx.now());
    const changes = Object.fromEntries(
      changed.map((field) => [field, { from: before[field], to: user[field] }]),
    );
    const event = await appendEvent(tx, ctx, 'inline', {
      type: 'user.updated',
      subject: user.id,
      sequence: sequenceOf(user.version),
      data: { id: user.id, username: user.username, email: user.email, changes },
      origin,
    });
    return { user, events: [event] };
  });
  await ctx.publisher.publish(events);
  return user;
}

/** As it comes back from the database: JSON knows no -0, and a number beyond all bounds is null. */
function stored(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
