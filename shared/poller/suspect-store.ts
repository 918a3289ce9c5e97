import { sql } from 'kysely';
import type { Consumer } from '../broker/topology';
import type { Db } from '../db/connection';

/**
 * Events of a call that failed as a whole or never returned, by id. True if the event was tried alone and the result is
 * unknown: it crashed the poller, or the poller was killed.
 */
export type Suspects = Map<string, boolean>;

export async function findSuspects(db: Db, consumer: Consumer, eventIds: string[]): Promise<Suspects> {
  if (eventIds.length === 0) return new Map();
  const { rows } = await sql<{ event_id: string; is_tried: boolean }>`
    select event_id, is_tried and not exists (
      select from inbox
      where inbox.event_id = suspected_events.event_id and inbox.consumer = suspected_events.consumer
    ) as is_tried
    from suspected_events
    where consumer = ${consumer} and event_id = any(${eventIds}::uuid[])`.execute(db);
  return new Map(rows.map(({ event_id, is_tried }) => [event_id, is_tried]));
}

/** @param isTried whether the event is about to be tried alone */
export async function noteSuspects(
  db: Db,
  consumer: Consumer,
  eventIds: string[],
  isTried: boolean,
): Promise<void> {
  await sql`
    insert into suspected_events (consumer, event_id, is_tried)
    select ${consumer}, id, ${isTried} from unnest(${eventIds}::uuid[]) as id
    on conflict (consumer, event_id) do update set is_tried = excluded.is_tried, noted_at = now()`.execute(
    db,
  );
}

/** Called when the function has returned a result for the events, or they are dead letters. */
export async function clearSuspects(db: Db, consumer: Consumer, eventIds: string[]): Promise<void> {
  if (eventIds.length === 0) return;
  await db
    .deleteFrom('suspected_events')
    .where('consumer', '=', consumer)
    .where('event_id', 'in', eventIds)
    .execute();
}
