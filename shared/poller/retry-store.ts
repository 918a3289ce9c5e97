import { sql } from 'kysely';
import type { Consumer } from '../broker/topology';
import type { Db } from '../db/connection';
import { holdUsers } from '../event-operations/erase-store';
import type { UserEvent } from '../events/catalog';

/** An event that goes to a retry queue, or becomes a dead letter. */
export interface Retried {
  event: UserEvent;
  delayMs: number;
  /** Null if it only waits for an earlier event of its user. */
  failure: { attempt: number; error: string; isLast: boolean } | null;
}

/**
 * Called before the copies are published to their retry queues. From then on, the users' later events wait. Records each
 * failure in the event's history, and that it waits, once. An error may name the user, so those of a deleted user's
 * events are left out.
 */
export async function recordRetrying(db: Db, consumer: Consumer, events: Retried[]): Promise<void> {
  if (events.length === 0) return;
  const failed = events.filter(({ failure }) => failure !== null);
  if (failed.length === 0) return insertRetrying(db, consumer, events);
  await db.transaction().execute(async (tx) => {
    // A deletion under way has to be visible to the statement that stores the errors.
    await holdUsers(
      tx,
      failed.map(({ event }) => event.subject),
    );
    await insertRetrying(tx, consumer, events);
  });
}

async function insertRetrying(db: Db, consumer: Consumer, events: Retried[]): Promise<void> {
  const column = <T>(read: (item: Retried) => T) => events.map(read);
  await sql`
    with retried as materialized (
      select id, type, subject, sequence, now() + delay_ms * interval '1 millisecond' as due_at, attempt, error, is_last
      from unnest(
        ${column(({ event }) => event.id)}::uuid[], ${column(({ event }) => event.type)}::text[],
        ${column(({ event }) => event.subject)}::uuid[], ${column(({ event }) => event.sequence)}::text[],
        ${column(({ delayMs }) => delayMs)}::bigint[], ${column(({ failure }) => failure?.attempt ?? null)}::int[],
        ${column(({ failure }) => failure?.error ?? null)}::text[],
        ${column(({ failure }) => failure?.isLast ?? false)}::boolean[]
      ) as given (id, type, subject, sequence, delay_ms, attempt, error, is_last)
    ), waiting as (
      insert into retrying_events (consumer, event_id, subject, sequence, due_at)
      select ${consumer}, id, subject, sequence, due_at from retried
      on conflict (consumer, event_id) do update set due_at = excluded.due_at
      -- xmax is 0 for inserted rows, not for updated ones.
      returning event_id, xmax = 0 as is_new
    )
    insert into event_history (event_id, kind, consumer, attempt, error, due_at)
    select id, case when attempt is null then 'waits' else 'failed' end, ${consumer}, attempt,
      case when type = 'user.deleted' or not exists (
        select from events as deleted where deleted.subject = retried.subject and deleted.type = 'user.deleted')
      then error end,
      case when not is_last then due_at end
    from retried join waiting on waiting.event_id = retried.id
    where attempt is not null or is_new`.execute(db);
}

/** Called when the events are handled or dead letters. */
export async function forgetRetrying(db: Db, consumer: Consumer, eventIds: string[]): Promise<void> {
  if (eventIds.length === 0) return;
  await db
    .deleteFrom('retrying_events')
    .where('consumer', '=', consumer)
    .where('event_id', 'in', eventIds)
    .execute();
}
