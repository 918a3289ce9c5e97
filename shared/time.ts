import * as v from 'valibot';

const PARTS =
  /^(\d{4}-\d\d-\d\d)(?:[T ]((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.(\d{1,9}))?(?:Z| ?([+-])(\d\d):?(\d\d)?))?$/;
/** PostgreSQL's limit; JavaScript accepts offsets up to 23:59. The largest in use is +14:00. */
const MAX_OFFSET_HOURS = 15;
/** PostgreSQL has no year 0, and years after 9999 need more than four digits in ISO 8601. */
const FIRST = Date.parse('0001-01-01T00:00:00Z');
const LAST = Date.parse('9999-12-31T23:59:59.999Z');

/**
 * Parses an ISO 8601 time with offset, truncated to milliseconds, or a date, which means its start in UTC.
 * @returns null for other formats and for dates, offsets and years that JavaScript and PostgreSQL do not both support:
 * JavaScript turns February 30 into March 2
 */
export function parseTime(text: string): Date | null {
  const [, day, clock = '00:00:00', fraction = '', sign, hours = '00', minutes = '00'] =
    PARTS.exec(text) ?? [];
  if (day === undefined || !dayExists(day) || Number(hours) > MAX_OFFSET_HOURS) return null;
  const offset = sign === undefined ? 'Z' : `${sign}${hours}:${minutes}`;
  const time = new Date(`${day}T${clock}.${fraction.slice(0, 3).padEnd(3, '0')}${offset}`);
  return time.getTime() >= FIRST && time.getTime() <= LAST ? time : null;
}

function dayExists(day: string): boolean {
  const read = new Date(day);
  return !Number.isNaN(read.getTime()) && read.toISOString().startsWith(day);
}

const exists = v.check((text: string) => parseTime(text) !== null, 'must be an existing date and time');

/** A time with offset, such as 2026-11-20T16:37:15.123Z. */
export const Timestamp = v.pipe(
  v.string('must be a string'),
  v.isoTimestamp('must be an ISO 8601 time with offset, such as 2026-11-20T16:37:15Z'),
  exists,
);

/**
 * A time with offset, or a date, which means its start in UTC. Becomes text in UTC, so that it does not depend on the
 * time zone of the database session.
 */
export const Time = v.pipe(
  v.union(
    [v.pipe(v.string(), v.isoTimestamp()), v.pipe(v.string(), v.isoDate())],
    'must be an ISO 8601 time',
  ),
  exists,
  v.transform((text) => parseTime(text)?.toISOString() ?? text),
);
