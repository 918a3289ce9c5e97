import { sql } from 'kysely';
import type { Db } from '../db/connection';
import { idsAround } from '../events/event-id';
import type { ReplayFilter } from './replay-store';

const COUNTED = 100_000;
/** A rare type is looked for in so many events of the range: some tenths of a second, whatever the log holds. */
const LOOKED_AT = 200_000;

export interface ReplayCount {
  count: number;
  /** Counting stopped: there may be more. */
  isMore: boolean;
}

/** How many events of the log match. Those that are still to be published are among them; a replay leaves them out. */
export async function countReplayed(
  db: Db,
  { from, to, types, subject }: ReplayFilter,
): Promise<ReplayCount> {
  const { first, end } = idsAround({ from, to });
  let lookedAt = db.selectFrom('events').select(['type', 'time']).limit(LOOKED_AT);
  if (first !== null) lookedAt = lookedAt.where('id', '>=', first);
  if (end !== null) lookedAt = lookedAt.where('id', '<', end);
  if (subject !== undefined) lookedAt = lookedAt.where('subject', '=', subject);
  const conditions = [
    ...(from === undefined ? [] : [sql`time >= ${from}::timestamptz`]),
    ...(to === undefined ? [] : [sql`time < ${to}::timestamptz`]),
    ...(types === undefined ? [] : [sql`type = any(${types}::text[])`]),
  ];
  const row = await db
    .selectFrom(lookedAt.as('looked_at'))
    .select([
      sql<number>`count(*)::int`.as('looked_at'),
      sql<number>`count(*) filter (where ${sql.join([sql`true`, ...conditions], sql` and `)})::int`.as(
        'matching',
      ),
    ])
    .executeTakeFirstOrThrow();
  return {
    count: Math.min(row.matching, COUNTED),
    isMore: row.matching > COUNTED || row.looked_at === LOOKED_AT,
  };
}
