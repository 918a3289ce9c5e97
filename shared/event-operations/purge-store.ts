import { sql } from 'kysely';
import type { Db } from '../db/connection';
import { lockLogStart, moveLogStart } from '../outbox/log-start-store';

/**
 * Events made and published before then that nobody is about to get again, oldest first. As below, the ids find them:
 * the rest of the log is not looked at.
 * @returns how many
 */
export async function purgePublished(db: Db, before: Date, limit: number): Promise<number> {
  return db.transaction().execute(async (tx) => {
    await lockLogStart(tx);
    const { rows } = await sql<{ time: Date }>`
      delete from outbox where id in (
        select id from outbox
        where id < ${firstIdOf(before)} and published_at < ${before}
        and not exists (select from redeliveries where redeliveries.event_id = outbox.id)
        order by id limit ${limit} for update skip locked)
      returning time`.execute(tx);
    const latest = rows.reduce((max, { time }) => Math.max(max, time.getTime()), 0);
    if (rows.length > 0) await moveLogStart(tx, new Date(latest));
    return rows.length;
  });
}

/**
 * Of events made before then, that they were handled. Event ids sort by their time (UUIDv7, RFC 9562 section 5.7), so
 * the primary key finds the oldest.
 */
export async function purgeHandled(db: Db, before: Date, limit: number): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from inbox where ctid = any(array(
      select ctid from inbox where event_id < ${firstIdOf(before)} order by event_id limit ${limit}
      for update skip locked))`.execute(db);
  return Number(numAffectedRows ?? 0);
}

/** Retries that should have come around before then. */
export async function purgeOverdueRetries(db: Db, before: Date, limit: number): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from retrying_events where ctid = any(array(
      select ctid from retrying_events where due_at < ${before} limit ${limit}
      for update skip locked))`.execute(db);
  return Number(numAffectedRows ?? 0);
}

function firstIdOf(time: Date): string {
  const hex = time.getTime().toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}
