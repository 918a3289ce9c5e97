import { sql } from 'kysely';
import type { Tx } from '../db/connection';

/**
 * The first hour from which on the log has every event, and keeps them until this transaction ends: the purge waits.
 * @param otherwise where there has never been an event
 */
export async function keepLogFrom(tx: Tx, otherwise: Date): Promise<Date> {
  const { rows } = await sql<{ start: Date | null }>`
    select coalesce(
      -- Of the hour of the latest that was purged, others may be missing too.
      date_bin('1 hour', purged_until, 'epoch') + interval '1 hour',
      -- The first of the log, give or take the clocks of the containers that wrote them.
      (select date_bin('1 hour', min(time), 'epoch') from (
        select time from events order by position limit 1000) as first)) as start
    from event_log_start for share`.execute(tx);
  return rows[0]?.start ?? otherwise;
}

/** Keeps the log as it is until this transaction ends: the purge waits. */
export async function holdLog(tx: Tx): Promise<void> {
  await sql`select from event_log_start for share`.execute(tx);
}

/** Before a purge: it waits for whoever counts on the log, and they for the purge. */
export async function lockLogStart(tx: Tx): Promise<void> {
  await sql`select from event_log_start for update`.execute(tx);
}

/** After it. @param until the time of the latest event that is gone */
export async function moveLogStart(tx: Tx, until: Date): Promise<void> {
  await sql`update event_log_start set purged_until = greatest(purged_until, ${until})`.execute(tx);
}
