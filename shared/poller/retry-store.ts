import { sql } from 'kysely';
import type { Consumer } from '../broker/topology';
import type { Db } from '../db/connection';
import type { UserEvent } from '../events/catalog';

/** After this long past its time, an event is taken for lost with its retry queue, and nobody waits for it any more. */
const OVERDUE_HOURS = 24;

/** An event that a consumer has not managed yet, or that waits for such a one of the same user. */
export interface RetryingEvent {
  eventId: string;
  subject: string;
  sequence: string;
  /** Until it comes out of its retry queue; negative where it should have. */
  dueInMs: number;
  /**
   * It has had its effect, so nobody waits for it. A poller that lost its connection, or was frozen, may have written
   * this down after the next poller had the same event handled.
   */
  isHandled: boolean;
}

/** What is on its way around for this consumer, of these users. */
export async function findRetrying(db: Db, consumer: Consumer, subjects: string[]): Promise<RetryingEvent[]> {
  const { rows } = await sql<RetryingEvent>`
    select event_id as "eventId", subject, sequence,
      extract(epoch from due_at - now())::float8 * 1000 as "dueInMs",
      exists (
        select from inbox where inbox.event_id = retrying_events.event_id and inbox.consumer = ${consumer}
      ) as "isHandled"
    from retrying_events
    where consumer = ${consumer} and subject = any(${subjects}::uuid[])
    and due_at > now() - ${OVERDUE_HOURS} * interval '1 hour'`.execute(db);
  return rows;
}

/** Before the copies go to their retry queues: from then on the users' later events wait. */
export async function recordRetrying(
  db: Db,
  consumer: Consumer,
  events: { event: UserEvent; delayMs: number }[],
): Promise<void> {
  if (events.length === 0) return;
  await sql`
    insert into retrying_events (consumer, event_id, subject, sequence, due_at)
    select ${consumer}, id, subject, sequence, now() + delay_ms * interval '1 millisecond'
    from unnest(
      ${events.map(({ event }) => event.id)}::uuid[], ${events.map(({ event }) => event.subject)}::uuid[],
      ${events.map(({ event }) => event.sequence)}::text[], ${events.map(({ delayMs }) => delayMs)}::bigint[]
    ) as retried (id, subject, sequence, delay_ms)
    on conflict (consumer, event_id) do update set due_at = excluded.due_at`.execute(db);
}

/** Once they are handled, or dead letters. */
export async function forgetRetrying(db: Db, consumer: Consumer, eventIds: string[]): Promise<void> {
  if (eventIds.length === 0) return;
  await db
    .deleteFrom('retrying_events')
    .where('consumer', '=', consumer)
    .where('event_id', 'in', eventIds)
    .execute();
}
