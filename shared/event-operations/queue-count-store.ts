import { sql } from 'kysely';
import type { Db } from '../db/connection';

/** Enough to know that it is a lot. */
const COUNTED = 10_000;

/** @returns how many events each consumer has in retry queues, by the records of the poller; counting stops at 10,000 */
export async function countRetrying(db: Db, consumers: string[]): Promise<Map<string, number>> {
  const { rows } = await sql<{ consumer: string; count: number }>`
    select name as consumer, (
      select count(*)::int from (
        select from retrying_events where consumer = name limit ${COUNTED}
      ) as counted) as count
    from unnest(${consumers}::text[]) as name`.execute(db);
  return new Map(rows.map(({ consumer, count }) => [consumer, count]));
}

/** Counting stops at 10,000. */
export async function countDeadLetters(db: Db): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int from (select from dead_letters limit ${COUNTED}) as counted`.execute(db);
  return rows[0]?.count ?? 0;
}
