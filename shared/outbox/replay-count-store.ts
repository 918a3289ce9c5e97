import { sql } from 'kysely';
import type { Db } from '../db/connection';
import { idsAround } from '../events/event-id';
import type { ReplayFilter } from './replay-store';

const COUNTED = 100_000;

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
  const ids = idsAround({ from, to });
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from (
      select from events
      where (${ids.first}::uuid is null or id >= ${ids.first}) and (${ids.end}::uuid is null or id < ${ids.end})
      and (${from ?? null}::timestamptz is null or time >= ${from ?? null})
      and (${to ?? null}::timestamptz is null or time < ${to ?? null})
      and (${types ?? null}::text[] is null or type = any(${types ?? null}))
      and (${subject ?? null}::uuid is null or subject = ${subject ?? null})
      limit ${COUNTED + 1}
    ) as matching`.execute(db);
  const count = rows[0]?.count ?? 0;
  return { count: Math.min(count, COUNTED), isMore: count > COUNTED };
}
