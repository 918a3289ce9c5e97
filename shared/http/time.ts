import * as v from 'valibot';

/** An ISO 8601 time with its offset, such as 2026-11-20T16:37:15.123Z, or a day, which is its first moment in UTC. */
export const Time = v.pipe(
  v.union(
    [v.pipe(v.string(), v.isoTimestamp()), v.pipe(v.string(), v.isoDate())],
    'must be an ISO 8601 time',
  ),
  v.check((value) => !Number.isNaN(Date.parse(value)), 'must be a time that exists'),
);
