import { sql } from 'kysely';
import type { Consumer } from '../broker/topology';
import type { Db } from '../db/connection';

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
