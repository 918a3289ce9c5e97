import * as v from 'valibot';

const MAX_METADATA_BYTES = 4 * 1024;

/** ASCII only, so that no two usernames look alike (U+0430 for "a") and folding their case is the same everywhere. */
export const Username = v.pipe(
  v.string('must be a string'),
  v.regex(/^[A-Za-z0-9_.-]{3,32}$/, 'must be 3 to 32 letters (a-z), digits, "_", "." or "-"'),
);

export const Email = v.pipe(
  v.string('must be a string'),
  v.maxLength(254, 'must be at most 254 characters'),
  v.rfcEmail('must be an e-mail address'),
  // Valid on a local network, and of no use to anyone here. (What has no @ at all is reported above.)
  v.regex(/^[^@]*$|\.[^.@]{2,}$/, 'must have a domain with a dot'),
);

export const DisplayName = v.nullable(
  v.pipe(
    v.string('must be a string or null'),
    v.trim(),
    v.minLength(1, 'must not be empty; use null for none'),
    v.maxLength(200, 'must be at most 200 characters'),
  ),
  null,
);

export const Metadata = v.pipe(
  v.custom<Record<string, unknown>>(
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      !Array.isArray(value) &&
      Buffer.byteLength(JSON.stringify(value)) <= MAX_METADATA_BYTES,
    'must be a JSON object of at most 4 KiB',
  ),
  v.metadata({ type: 'object' }),
);

export const UserId = v.pipe(v.string(), v.uuid());

/** PostgreSQL's lower() in collation "C": what is not ASCII stays as it is, and so matches no stored name. */
export function foldCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
