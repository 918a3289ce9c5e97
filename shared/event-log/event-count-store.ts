import { sql } from 'kysely';
import type { Db } from '../db/connection';
import { firstIdOf } from '../events/event-id';

/** A chart needs no more, and a minute of an import has hundreds of thousands. */
const COUNTED = 10_000;

/** @returns for each of these times, how many events have their ids from it on for so long; counting stops at 10,000 */
export async function countById(db: Db, starts: Date[], lengthMs: number): Promise<number[]> {
  const ends = starts.map((start) => firstIdOf(new Date(start.getTime() + lengthMs)));
  const { rows } = await sql<{ count: number }>`
    select (
      select count(*)::int from (
        select from events where id >= bounds.first and id < bounds.next limit ${COUNTED}
      ) as counted) as count
    from unnest(${starts.map(firstIdOf)}::uuid[], ${ends}::uuid[]) with ordinality as bounds (first, next, place)
    order by place`.execute(db);
  return rows.map(({ count }) => count);
}
