import { sql } from 'kysely';
import type { Db } from '../db/connection';

/**
 * The next positions of the log that are visible, and the oldest transaction that is running, in one snapshot: of the
 * transactions before it, everything that they have left is among the positions.
 */
export async function readPositions(
  db: Db,
  after: number,
  limit: number,
): Promise<{ positions: number[]; oldestRunning: string }> {
  const { rows } = await sql<{ positions: string[]; oldest_running: string }>`
    select pg_snapshot_xmin(pg_current_snapshot())::text as oldest_running, array(
      select position from events where position > ${after} order by position limit ${limit})::text[] as positions`.execute(
    db,
  );
  const [row] = rows;
  return { positions: row?.positions.map(Number) ?? [], oldestRunning: row?.oldest_running ?? '0' };
}

/**
 * A transaction id above all that have been given out. `pg_snapshot_xmax` is not: it is above all that have **ended**, and
 * a running transaction may have a higher one, so one is taken here.
 */
export async function takeHorizon(db: Db): Promise<string> {
  const { rows } = await sql<{ horizon: string }>`select pg_current_xact_id()::text as horizon`.execute(db);
  return rows[0]?.horizon ?? '0';
}
