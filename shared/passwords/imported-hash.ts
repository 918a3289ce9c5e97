import * as v from 'valibot';
import { parseArgon2, workOf } from './argon2-hash';

// A cost of 31 is well-formed, but a login would take days.
const [MIN_COST, MAX_COST] = [4, 15];
const BCRYPT = /^\$2[aby]\$(\d\d)\$([./A-Za-z0-9]{21})([./A-Za-z0-9])([./A-Za-z0-9]{31})$/;
const ALPHABET = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** In KiB: every login of such a user needs as much. */
const MAX_MEMORY = 256 * 1024;
/** KiB × passes: about as long as 27 of our own hashes, which is what every failed login takes from then on. */
const MAX_WORK = 1024 * 1024;
const MAX_LANES = 64;
/** RFC 9106, section 3.1: at least 8 KiB per lane. */
const MIN_LANE_MEMORY = 8;
const [MIN_SALT_BYTES, MIN_TAG_BYTES, MAX_BYTES] = [8, 16, 64];

/** A hash from another system: by bcrypt, or by Argon2 as a PHC string. The message names the first limit that it exceeds. */
export const ImportedHash = v.pipe(
  v.string('must be a string'),
  v.rawTransform(({ dataset: { value: hash }, addIssue, NEVER }) => {
    const problem = hash.startsWith('$argon2') ? problemOfArgon2(hash) : problemOfBcrypt(hash);
    if (problem === null) return normalize(hash);
    addIssue({ message: problem });
    return NEVER;
  }),
);

function problemOfBcrypt(hash: string): string | null {
  const [, digits] = BCRYPT.exec(hash) ?? [];
  if (digits === undefined)
    return 'must be a hash by bcrypt ($2a$, $2b$ or $2y$) or Argon2 ($argon2id$, $argon2i$ or $argon2d$)';
  const cost = Number(digits);
  return cost >= MIN_COST && cost <= MAX_COST ? null : `must have a cost from ${MIN_COST} to ${MAX_COST}`;
}

function problemOfArgon2(text: string): string | null {
  const hash = parseArgon2(text);
  if (!hash) return 'must be a PHC string: $argon2id$v=19$m=…,t=…,p=…$salt$hash, without keyid and data';
  const { memory, passes, parallelism, salt, tag } = hash;
  if (parallelism < 1 || parallelism > MAX_LANES) return `must have p from 1 to ${MAX_LANES}`;
  if (memory < MIN_LANE_MEMORY * parallelism || memory > MAX_MEMORY)
    return `must have m from ${MIN_LANE_MEMORY} × p to ${MAX_MEMORY}`;
  if (passes < 1 || workOf(hash) > MAX_WORK)
    return `must have t of at least 1, and m × t of at most ${MAX_WORK}`;
  if (salt.length < MIN_SALT_BYTES || salt.length > MAX_BYTES)
    return `must have a salt of ${MIN_SALT_BYTES} to ${MAX_BYTES} bytes`;
  if (tag.length < MIN_TAG_BYTES || tag.length > MAX_BYTES)
    return `must have a hash of ${MIN_TAG_BYTES} to ${MAX_BYTES} bytes`;
  return null;
}

/**
 * Normalizes a bcrypt hash for our library. PHP's `$2y` equals `$2b`. The last character of the salt encodes two bits;
 * some libraries leave the other four bits nonzero, which our library would compare.
 */
function normalize(hash: string): string {
  return hash.replace(BCRYPT, (_hash, cost: string, salt: string, last: string, digest: string) => {
    const version = hash.startsWith('$2a') ? '2a' : '2b';
    return `$${version}$${cost}$${salt}${ALPHABET[ALPHABET.indexOf(last) & 0b110000]}${digest}`;
  });
}
