import { sql } from 'kysely';
import type { Consumer } from '../broker/topology';
import type { Db } from '../db/connection';
import type { UserEvent } from '../events/catalog';

/** An event that is overdue by this much is considered lost with its retry queue, and later events stop waiting. */
const OVERDUE_HOURS = 24;

/** An event in a retry queue: it failed, or it waits for an earlier one of the same user. */
export interface RetryingEvent {
  eventId: string;
  subject: string;
  sequence: string;
  /** Time until it leaves its retry queue; negative if overdue. */
  dueInMs: number;
  /**
   * It was handled, so no event waits for it. A poller that was frozen or lost its connection may have recorded the retry
   * after the next poller had the event handled.
   */
  isHandled: boolean;
}

/** These users' events in the retry queues of this consumer. */
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

/** Called before the copies are published to their retry queues. From then on, the users' later events wait. */
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

/** Called when the events are handled or dead letters. */
export async function forgetRetrying(db: Db, consumer: Consumer, eventIds: string[]): Promise<void> {
  if (eventIds.length === 0) return;
  await db
    .deleteFrom('retrying_events')
    .where('consumer', '=', consumer)
    .where('event_id', 'in', eventIds)
    .execute();
}
