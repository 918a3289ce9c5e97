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

/**
 * Events of a call that failed as a whole or never returned, by id. True if the event was tried alone and the result is
 * unknown: it crashed the poller, or the poller was killed.
 */
export type Suspects = Map<string, boolean>;

export interface EarlierAttempts {
  /** The events of these users in the retry queues of this consumer. */
  retrying: RetryingEvent[];
  suspects: Suspects;
}

type Row = ({ kind: 'retrying' } & RetryingEvent) | { kind: 'suspect'; eventId: string; isTried: boolean };

/** What is known about a batch from earlier attempts. One round trip, because every batch takes it. */
export async function findEarlierAttempts(
  db: Db,
  consumer: Consumer,
  events: UserEvent[],
): Promise<EarlierAttempts> {
  const found: EarlierAttempts = { retrying: [], suspects: new Map() };
  if (events.length === 0) return found;
  const { rows } = await sql<Row>`
    select 'retrying' as kind, event_id as "eventId", subject, sequence,
      extract(epoch from due_at - now())::float8 * 1000 as "dueInMs",
      exists (
        select from inbox where inbox.event_id = retrying_events.event_id and inbox.consumer = ${consumer}
      ) as "isHandled",
      null::boolean as "isTried"
    from retrying_events
    where consumer = ${consumer} and subject = any(${[...new Set(events.map(({ subject }) => subject))]}::uuid[])
    and due_at > now() - ${OVERDUE_HOURS} * interval '1 hour'
    union all
    select 'suspect', event_id, null, null, null, null, is_tried and not exists (
      select from inbox
      where inbox.event_id = suspected_events.event_id and inbox.consumer = suspected_events.consumer)
    from suspected_events
    where consumer = ${consumer} and event_id = any(${events.map(({ id }) => id)}::uuid[])`.execute(db);
  for (const row of rows) {
    if (row.kind === 'retrying') found.retrying.push(row);
    else found.suspects.set(row.eventId, row.isTried);
  }
  return found;
}
