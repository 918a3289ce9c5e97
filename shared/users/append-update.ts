import { isDeepStrictEqual } from 'node:util';
import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import type { Origin } from '../events/origin';
import { appendEvent, type PendingEvent } from '../outbox/event-store';
import { sequenceOf } from './sequence';
import type { User } from './user';

const FIELDS = ['username', 'email', 'pendingEmail', 'displayName', 'metadata'] as const;

/** The fields that have changed. */
export function changedFields(before: User, after: User): (typeof FIELDS)[number][] {
  return FIELDS.filter((field) => !isDeepStrictEqual(stored(after[field]), before[field]));
}

/** Appends `user.updated` with the old and new values, in the transaction that stored them. `sender`: see `appendEvent`. */
export async function appendUpdate(
  tx: Tx,
  ctx: Context,
  before: User,
  after: User,
  origin: Origin,
  sender: 'inline' | 'relay' = 'inline',
): Promise<PendingEvent[]> {
  const changed = changedFields(before, after);
  if (changed.length === 0) return [];
  const changes = Object.fromEntries(
    changed.map((field) => [field, { from: before[field], to: after[field] }]),
  );
  const event = await appendEvent(tx, ctx, sender, {
    type: 'user.updated',
    subject: after.id,
    sequence: sequenceOf(after.version),
    data: { id: after.id, username: after.username, email: after.email, changes },
    origin,
  });
  return [event];
}

/** The value as the database returns it: JSON turns -0 into 0 and infinity into null. */
function stored(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
