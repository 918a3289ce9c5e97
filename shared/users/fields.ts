import * as v from 'valibot';
import { maxCharacters } from '../characters';
import { storedBytes } from '../storable';
import { parseTime, Timestamp } from '../time';
import { isMailAddress, MAX_ADDRESS, storedAddress } from './email-address';

const MAX_METADATA_BYTES = 4 * 1024;

/** ASCII only: no two usernames look alike (U+0430 for "a"), and case folding is the same everywhere. */
export const Username = v.pipe(
  v.string('must be a string'),
  // Phone keyboards add a space after a completed word.
  v.trim(),
  v.regex(/^[A-Za-z0-9_.-]{3,32}$/, 'must be 3 to 32 letters (a-z), digits, "_", "." or "-"'),
);

/** Yields the stored form: see `storedAddress`. */
export const Email = v.pipe(
  v.string('must be a string'),
  v.trim(),
  v.metadata({ format: 'idn-email', maxLength: MAX_ADDRESS }),
  v.check(isMailAddress, 'must be an email address, such as name@example.com'),
  v.transform(storedAddress),
);

export const DisplayName = v.nullable(
  v.pipe(
    v.string('must be a string or null'),
    v.trim(),
    v.minLength(1, 'must not be empty; use null for none'),
    ...maxCharacters(200),
  ),
  null,
);

export const Metadata = v.pipe(
  v.custom<Record<string, unknown>>(
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      !Array.isArray(value) &&
      storedBytes(value) <= MAX_METADATA_BYTES,
    'must be a JSON object of at most 4 KiB',
  ),
  v.metadata({ type: 'object' }),
);

export const SuspensionReason = v.nullable(
  v.pipe(
    v.string('must be a string or null'),
    v.trim(),
    v.minLength(1, 'must not be empty; use null for none'),
    ...maxCharacters(200),
  ),
);

/** Yields the time in UTC with milliseconds, as responses contain it. */
export const SuspensionEnd = v.nullable(
  v.pipe(
    Timestamp,
    v.transform((text) => parseTime(text)?.toISOString() ?? text),
  ),
);

export const UserId = v.pipe(v.string(), v.uuid());
