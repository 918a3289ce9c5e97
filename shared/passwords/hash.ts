import bcrypt from 'bcryptjs';

// bcrypt ignores everything after 72 bytes. Truncating silently would let a prefix of the password log in.
export const MAX_PASSWORD_BYTES = 72;

/**
 * Normalizes a password before hashing, so that it is the same on every device (RFC 8265, section 4.2.2): all spaces
 * become U+0020, and characters are composed (NFC).
 */
export function preparePassword(password: string): string {
  return password.replace(/\p{Zs}/gu, ' ').normalize('NFC');
}

/** A password in the form in which it is stored. Opaque to everything outside of this folder. */
export interface HashedPassword {
  hash: string;
}

/** @param cost log2 of the rounds */
export async function hashPassword(password: string, cost: number): Promise<HashedPassword> {
  return { hash: await bcrypt.hash(preparePassword(password), cost) };
}

/** Which form of the password matched: the prepared one, or the typed one if the hash is old or imported. */
export type PasswordMatch = 'prepared' | 'typed';

/**
 * Compares a password with a user's hash, or with a dummy hash if there is no such user. The time depends on the password
 * and never on the hash: a wrong password takes as long for every user as for an unknown one.
 * @param floor log2 of the minimum number of rounds. A hash that costs more takes longer
 */
export async function verifyPassword(
  password: string,
  hash: string | null,
  floor: number,
): Promise<PasswordMatch | null> {
  const prepared = preparePassword(password);
  if (await matches(prepared, hash, floor)) return 'prepared';
  // For all users, even if the hash is known to be of the prepared form: a skipped comparison would show in the time.
  if (prepared !== password && (await matches(password, hash, floor))) return 'typed';
  return null;
}

/** Whether to replace the hash: the configured cost was raised, or the typed form was hashed. */
export function needsRehash(hash: string, password: string, match: PasswordMatch, cost: number): boolean {
  const fits = Buffer.byteLength(preparePassword(password)) <= MAX_PASSWORD_BYTES;
  return fits && (match === 'typed' || bcrypt.getRounds(hash) < cost);
}

async function matches(password: string, hash: string | null, floor: number): Promise<boolean> {
  const equal = await bcrypt.compare(password, hash ?? dummyHash(floor));
  // bcrypt compares only the first 72 bytes, so a longer password is never correct.
  if (equal && hash !== null && Buffer.byteLength(password) <= MAX_PASSWORD_BYTES) return true;
  // A cheaper hash would show in the time. Its 2^n rounds plus dummy rounds of 2^n, 2^(n+1) … add up to 2^floor.
  for (let cost = hash === null ? floor : bcrypt.getRounds(hash); cost < floor; cost += 1) {
    await bcrypt.compare(password, dummyHash(cost));
  }
  return false;
}

/** A well-formed hash without a known password: 22 characters of salt, 31 of digest. */
function dummyHash(cost: number): string {
  return `$2b$${String(cost).padStart(2, '0')}$${'.'.repeat(53)}`;
}
