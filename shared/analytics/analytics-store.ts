import { sql } from 'kysely';
import type { Consumer } from '../broker/topology';
import type { Db, Tx } from '../db/connection';
import type { UserEvent } from '../events/catalog';
import { type Counts, METRIC_OF, type Metric, noCounts } from './metrics';

const CONSUMER: Consumer = 'analytics';

/**
 * Counts events by hour. One statement per batch, which writes each row once.
 */
export async function countEvents(tx: Tx, events: UserEvent[]): Promise<void> {
  const counted = events.flatMap(({ type, time }) => {
    const metric = METRIC_OF[type];
    return metric === undefined ? [] : [{ metric, time }];
  });
  if (counted.length === 0) return;
  await sql`
    insert into analytics_hourly (hour, metric, count)
    select date_bin('1 hour', time, 'epoch'), metric, count(*)
    from unnest(${counted.map(({ time }) => time)}::timestamptz[], ${counted.map(({ metric }) => metric)}::text[])
      as counted (time, metric)
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
 * Takes back every count of a range, and forgets that the events of that range were handled: sent to the consumer
 * again, each of them counts once more, and those that are still on their way count when they arrive. What the log no
 * longer has cannot come back: the caller sees to it that it reaches as far as `from`.
 * @param from the start of an hour; so is `to`, which is not included
 */
export async function resetCounts(tx: Tx, from: Date, to: Date): Promise<void> {
  // First of all. A batch that has counted already has also committed its inbox rows when this is granted, and they
  // are forgotten below; one that has not counts after this transaction, and keeps them. Readers do not wait.
  await sql`lock table analytics_hourly in share row exclusive mode`.execute(tx);
  await tx.deleteFrom('analytics_hourly').where('hour', '>=', from).where('hour', '<', to).execute();
  await sql`
    delete from inbox using events
    where inbox.consumer = ${CONSUMER} and inbox.event_id = events.id
    and events.time >= ${from} and events.time < ${to}`.execute(tx);
}
