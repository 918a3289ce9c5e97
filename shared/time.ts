import * as v from 'valibot';

const PARTS =
  /^(\d{4}-\d\d-\d\d)(?:[T ]((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.(\d{1,9}))?(?:Z| ?([+-])(\d\d):?(\d\d)?))?$/;
/** PostgreSQL's; JavaScript takes offsets of up to 23:59. The largest in use is +14:00. */
const MAX_OFFSET_HOURS = 15;
/** JavaScript has a year 0, PostgreSQL has none; after 9999, ISO 8601 needs more than four digits. */
const FIRST = Date.parse('0001-01-01T00:00:00Z');
const LAST = Date.parse('9999-12-31T23:59:59.999Z');

/**
 * Reads an ISO 8601 time with its offset, or a day, which is its first moment in UTC. Cut to milliseconds.
 * @returns null for what is no such time, and for days, offsets and years that do not exist in JavaScript and
 * PostgreSQL alike: JavaScript makes the 2nd of March of the 30th of February
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

const exists = v.check((text: string) => parseTime(text) !== null, 'must be a time that exists');

/** A time with its offset, such as 2026-11-20T16:37:15.123Z. */
export const Timestamp = v.pipe(
  v.string('must be a string'),
  v.isoTimestamp('must be an ISO 8601 time with its offset, such as 2026-11-20T16:37:15Z'),
  exists,
);

/**
 * A time with its offset, or a day, which is its first moment in UTC. Becomes text in UTC, which means the same in
 * whatever time zone a database session is.
 */
export const Time = v.pipe(
  v.union(
    [v.pipe(v.string(), v.isoTimestamp()), v.pipe(v.string(), v.isoDate())],
    'must be an ISO 8601 time',
  ),
  exists,
  v.transform((text) => parseTime(text)?.toISOString() ?? text),
);
