import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../db/connection';

export interface CountedUse {
  key: Buffer;
  max: number;
  /** End of the window, if this is its first use. */
  resetsAt: Date;
}

/** Each statement deletes this many expired counters, more than it adds, so the table stays small. */
const PURGED_PER_USE = 10;

/**
 * Counts a use of each limit in turn and stops at the first exceeded one: a client over one limit must not be able to use
 * up another one, such as somebody else's account. One statement for all limits. Concurrent statements wait for each
 * other's row locks, so no use is lost or granted twice.
 * @returns the first exceeded limit and when its window ends, or null
 */
export async function countUses(
  db: Db,
  uses: CountedUse[],
  now: Date,
): Promise<{ index: number; resetsAt: Date } | null> {
  const step = (index: number) => sql.raw(`step_${index}`);
  const counts = uses.map(({ key, max, resetsAt }, index): RawBuilder<unknown> => {
    const before = uses[index - 1];
    const onlyAfter = before ? sql`from ${step(index - 1)} where used <= ${before.max}` : sql``;
    return sql`${step(index)} as (
      insert into rate_limits as counter (key, used, resets_at)
      select ${key}::bytea, 1, ${resetsAt}::timestamptz ${onlyAfter}
      on conflict (key) do update set
        used = case when counter.resets_at <= ${now} then 1 else least(counter.used, ${max}) + 1 end,
        resets_at = case when counter.resets_at <= ${now} then excluded.resets_at else counter.resets_at end
      returning used, resets_at)`;
  });
  const { rows } = await sql<{ index: number; resets_at: Date }>`
    with ${sql.join(counts)},
    purged as (
      delete from rate_limits where key in (
        select key from rate_limits
        where resets_at <= ${now} and key <> all (${uses.map(({ key }) => key)}::bytea[])
        order by resets_at limit ${PURGED_PER_USE} for update skip locked))
    ${sql.join(
      uses.map(
        ({ max }, index) =>
          sql`select ${sql.lit(index)} as index, resets_at from ${step(index)} where used > ${max}`,
      ),
      sql` union all `,
    )}`.execute(db);
  const [full] = rows;
  return full ? { index: full.index, resetsAt: full.resets_at } : null;
}

/** Whether a limit has no use left in its window. */
export async function isFull(db: Db, { key, max }: CountedUse, now: Date): Promise<boolean> {
  const row = await db
    .selectFrom('rate_limits')
    .select('key')
    .where('key', '=', key)
    .where('resets_at', '>', now)
    .where('used', '>=', max)
    .executeTakeFirst();
  return row !== undefined;
}

/** Takes uses back from their windows. One statement. */
export async function uncountUseRows(db: Db, uses: CountedUse[], now: Date): Promise<void> {
  await sql`
    with counted as materialized (
      select counter.key, use.max
      from unnest(${uses.map(({ key }) => key)}::bytea[], ${uses.map(({ max }) => max)}::int[])
        with ordinality as use (key, max, place)
      join rate_limits as counter on counter.key = use.key
      where counter.resets_at > ${now}
      -- Locked in the order in which they are counted, so that concurrent logins do not deadlock.
      order by use.place for update of counter
    )
    update rate_limits set used = greatest(least(rate_limits.used, counted.max) - 1, 0)
    from counted where rate_limits.key = counted.key`.execute(db);
}
