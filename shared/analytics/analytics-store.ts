import { sql } from 'kysely';
import type { Consumer } from '../broker/topology';
import type { Db, Tx } from '../db/connection';
import type { UserEvent } from '../events/catalog';
import { type Counts, METRIC_OF, type Metric, noCounts } from './metrics';

const CONSUMER: Consumer = 'analytics';

/**
 * Counts events by hour. One statement per batch, which writes each row once.
 */
export async function addToCounts(tx: Tx, events: UserEvent[]): Promise<void> {
  const counted = events.flatMap(({ id, type, time }) => {
    const metric = METRIC_OF[type];
    return metric === undefined ? [] : [{ id, metric, time }];
  });
  if (counted.length === 0) return;
  await sql`
    insert into analytics_hourly (hour, metric, count)
    select date_bin('1 hour', time, 'epoch'), metric, count(*)
    from unnest(
      ${counted.map(({ id }) => id)}::uuid[], ${counted.map(({ time }) => time)}::timestamptz[],
      ${counted.map(({ metric }) => metric)}::text[]
    ) as counted (id, time, metric)
    -- What a rebuild has yet to come to is sent again then, and counted.
    where not exists (
      select from replays join events on events.id = counted.id
      where replays.recount and replays.finished_at is null
      and events.position > replays.position and events.position <= replays.end_position
      and events.time >= replays.from_time and events.time < replays.to_time)
    group by 1, 2
    -- In a fixed order, so that concurrent batches wait for each other instead of deadlocking.
    order by 1, 2
    on conflict (hour, metric) do update set count = analytics_hourly.count + excluded.count`.execute(tx);
}

/** @returns the counts, keyed by the start of their hour or day in UTC, in milliseconds; without empty ones */
export async function readCounts(
  db: Db,
  interval: 'hour' | 'day',
  from: Date,
  to: Date,
): Promise<Map<number, Counts>> {
  const { rows } = await sql<{ start: Date; metric: Metric; count: string }>`
    select date_bin(${`1 ${interval}`}::interval, hour, 'epoch') as start, metric, sum(count) as count
    from analytics_hourly where hour >= ${from} and hour < ${to}
    group by 1, 2`.execute(db);
  const counts = new Map<number, Counts>();
  for (const { start, metric, count } of rows) {
    const bucket = counts.get(start.getTime()) ?? noCounts();
    bucket[metric] = Number(count);
    counts.set(start.getTime(), bucket);
  }
  return counts;
}

/**
 * Deletes the counts of a range. In the same transaction, the caller requests a replay of its events with `recount`, and
 * must make sure that the event log still has all of them.
 * @param from the start of an hour, like `to`, which is exclusive
 */
export async function resetCounts(tx: Tx, from: Date, to: Date): Promise<void> {
  await lockCounts(tx);
  await tx.deleteFrom('analytics_hourly').where('hour', '>=', from).where('hour', '<', to).execute();
}

/**
 * Deletes the inbox rows of these events, so that the consumer counts them again.
 * @param read returns their ids; called while the lock stops all counting
 */
export async function forgetCounted(tx: Tx, read: () => Promise<string[]>): Promise<void> {
  await lockCounts(tx);
  const ids = await read();
  await sql`delete from inbox where consumer = ${CONSUMER} and event_id = any(${ids}::uuid[])`.execute(tx);
}

/**
 * A batch that has counted already has also committed its inbox rows when this is granted. One that has not counts after
 * this transaction, and then sees how far the rebuild has come. Readers do not wait.
 */
async function lockCounts(tx: Tx): Promise<void> {
  await sql`lock table analytics_hourly in share row exclusive mode`.execute(tx);
}
