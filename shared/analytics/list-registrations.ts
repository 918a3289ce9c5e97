import type { Db } from '../db/connection';
import { DomainError } from '../errors';
import { readCounts } from './analytics-store';
import { type Counts, METRICS, noCounts } from './metrics';

const HOUR_MS = 60 * 60 * 1000;
const INTERVALS = {
  hour: { ms: HOUR_MS, usual: 24 },
  day: { ms: 24 * HOUR_MS, usual: 30 },
};
/** Nearly three years of days, six weeks of hours. */
const MAX_BUCKETS = 1000;
/** Later years need more than four digits in ISO 8601. */
const LATEST = Date.UTC(9999, 0);

export type Interval = keyof typeof INTERVALS;

export interface Report {
  interval: Interval;
  from: string;
  /** Exclusive. */
  to: string;
  totals: Counts;
  buckets: ({ start: string } & Counts)[];
}

/**
 * Counts per hour or day in UTC. Extends the range to whole buckets and includes empty ones. Default range: the last 24
 * hours or 30 days, including the current one.
 * @throws DomainError `invalid_request` if the range is empty or too long
 */
export async function listRegistrations(
  db: Db,
  now: Date,
  interval: Interval,
  range: { from?: string | undefined; to?: string | undefined },
): Promise<Report> {
  const { from, to } = bucketRange(now, interval, range);
  const counts = await readCounts(db, interval, new Date(from), new Date(to));
  const totals = noCounts();
  const buckets: Report['buckets'] = [];
  for (let start = from; start < to; start += INTERVALS[interval].ms) {
    const bucket = counts.get(start) ?? noCounts();
    for (const metric of METRICS) totals[metric] += bucket[metric];
    buckets.push({ start: new Date(start).toISOString(), ...bucket });
  }
  return { interval, from: new Date(from).toISOString(), to: new Date(to).toISOString(), totals, buckets };
}

function bucketRange(
  now: Date,
  interval: Interval,
  given: { from?: string | undefined; to?: string | undefined },
) {
  const { ms, usual } = INTERVALS[interval];
  const to =
    given.to === undefined
      ? (Math.floor(now.getTime() / ms) + 1) * ms
      : Math.ceil(Date.parse(given.to) / ms) * ms;
  const from = given.from === undefined ? to - usual * ms : Math.floor(Date.parse(given.from) / ms) * ms;
  if (to > LATEST) throw invalid('to', 'must be before the year 9999');
  if (from >= to) throw invalid('from', 'must be before `to`');
  if ((to - from) / ms > MAX_BUCKETS) {
    throw invalid('from', `must be at most ${MAX_BUCKETS} ${interval}s before \`to\``);
  }
  return { from, to };
}

function invalid(path: string, message: string): DomainError {
  return new DomainError('invalid_request', { errors: [{ path, message }] });
}
