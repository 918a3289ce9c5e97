import * as v from 'valibot';

// A cost of 31 is well-formed, but a login would take days.
const [MIN_COST, MAX_COST] = [4, 15];
const BCRYPT = /^\$2[aby]\$(\d\d)\$([./A-Za-z0-9]{21})([./A-Za-z0-9])([./A-Za-z0-9]{31})$/;
const ALPHABET = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/**
 * A bcrypt hash from another system, normalized for our library. PHP's `$2y` equals `$2b`. The last character of the salt
 * encodes two bits; some libraries leave the other four bits nonzero, which our library would compare.
 */
export const ImportedHash = v.pipe(
  v.string('must be a string'),
  v.regex(BCRYPT, 'must be a bcrypt hash ($2a$, $2b$ or $2y$)'),
  v.check((hash) => {
    const cost = Number(BCRYPT.exec(hash)?.[1]);
    return cost >= MIN_COST && cost <= MAX_COST;
  }, `must have a cost from ${MIN_COST} to ${MAX_COST}`),
  v.transform((hash) =>
    hash.replace(BCRYPT, (_hash, cost: string, salt: string, last: string, digest: string) => {
      const version = hash.startsWith('$2a') ? '2a' : '2b';
      return `$${version}$${cost}$${salt}${ALPHABET[ALPHABET.indexOf(last) & 0b110000]}${digest}`;
    }),
  ),
);
