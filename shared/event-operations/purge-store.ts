import { sql } from 'kysely';
import type { Db } from '../db/connection';
import { firstIdOf } from '../events/event-id';
import { lockLogStart, moveLogStart } from '../outbox/log-start-store';

/** What a batch has taken, for the next one to go on from. */
export interface Purged {
  count: number;
  /** The last id. What is before it is not looked at again, nor are its index entries, which stay until a vacuum. */
  last: string;
}

/**
 * Events made and published before then that nobody is about to get again, oldest first. As below, the ids find them:
 * the rest of the log is not looked at.
 */
export async function purgePublished(db: Db, before: Date, limit: number, after: string): Promise<Purged> {
  return db.transaction().execute(async (tx) => {
    await lockLogStart(tx);
    const { rows } = await sql<{ id: string; time: Date }>`
      with old as materialized (
        select id from events
        where id > ${after} and id < ${firstIdOf(before)}
        -- \`offset 0\`: by an index for each row, where a join would read all of the table.
        and not exists (select from dispatch where dispatch.event_id = events.id offset 0)
        and not exists (
          select from replays
          where finished_at is null and events.position > replays.position
          and events.position <= replays.end_position offset 0)
        -- A retry sends the event as the log has it.
        and not exists (
          select from webhook_deliveries
          where webhook_deliveries.event_id = events.id and status = 'pending' offset 0)
        and coalesce((
          select publications.published_at from publications where publications.event_id = events.id
        ), events.published_at) < ${before}
        order by id limit ${limit} for update skip locked
      ), forgotten as (
        delete from publications using old where publications.event_id = old.id
      ), told as (
        delete from event_history using old where event_history.event_id = old.id
      )
      delete from events using old where events.id = old.id returning events.id, events.time`.execute(tx);
    const latest = rows.reduce((max, { time }) => Math.max(max, time.getTime()), 0);
    if (rows.length > 0) await moveLogStart(tx, new Date(latest));
    return { count: rows.length, last: rows.reduce((max, { id }) => (id > max ? id : max), after) };
  });
}

/**
 * Of events made before then, that they were handled, or what happened to them after they were purged. Event ids sort by
 * their time (UUIDv7, RFC 9562 section 5.7), so the primary key finds the oldest.
 */
export async function purgeByEvent(
  db: Db,
  name: 'inbox' | 'event_history',
  before: Date,
  limit: number,
  after: string,
): Promise<Purged> {
  const table = sql.table(name);
  const { rows } = await sql<{ event_id: string }>`
    delete from ${table} where ctid = any(array(
      select ctid from ${table} where event_id >= ${after} and event_id < ${firstIdOf(before)}
      order by event_id limit ${limit} for update skip locked))
    returning event_id`.execute(db);
  return {
    count: rows.length,
    last: rows.reduce((max, row) => (row.event_id > max ? row.event_id : max), after),
  };
}

/** Retries that should have come around before then. */
export async function purgeOverdueRetries(db: Db, before: Date, limit: number): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from retrying_events where ctid = any(array(
      select ctid from retrying_events where due_at < ${before} limit ${limit}
      for update skip locked))`.execute(db);
  return Number(numAffectedRows ?? 0);
}
