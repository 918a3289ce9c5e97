import bcrypt from 'bcryptjs';

// bcrypt reads no more than 72 bytes. Cutting silently would let a prefix of the password log in.
export const MAX_PASSWORD_BYTES = 72;

/**
 * The form in which passwords are hashed, so that one is the same on every device (RFC 8265, section 4.2.2): spaces of
 * all kinds become U+0020, and the characters are composed (NFC).
 */
export function preparePassword(password: string): string {
  return password.replace(/\p{Zs}/gu, ' ').normalize('NFC');
}

/** A password in the form in which it is stored. What the form is, is nobody else's business. */
export interface HashedPassword {
  hash: string;
}

/** @param cost log2 of the rounds */
export async function hashPassword(password: string, cost: number): Promise<HashedPassword> {
  return { hash: await bcrypt.hash(preparePassword(password), cost) };
}

/** In which form a password matches: as it is prepared today, or as typed, where the hash is older or from elsewhere. */
export type PasswordMatch = 'prepared' | 'typed';

/**
 * Compares a password with a user's hash, or, where there is no such user, with nothing. What that costs depends on
 * how the password is written, never on the hash: a wrong password takes as long for every user as for nobody.
 * @param floor log2 of the rounds that every comparison makes at least. A hash that costs more takes longer
 */
export async function verifyPassword(
  password: string,
  hash: string | null,
  floor: number,
): Promise<PasswordMatch | null> {
  const prepared = preparePassword(password);
  if (await matches(prepared, hash, floor)) return 'prepared';
  // For everybody, also where the hash is known to be newer: the second comparison would tell whose is not.
  if (prepared !== password && (await matches(password, hash, floor))) return 'typed';
  return null;
}

/** True where the hash should be made anew: the configured cost has been raised since, or it is of an unprepared form. */
export function needsRehash(hash: string, password: string, match: PasswordMatch, cost: number): boolean {
  const fits = Buffer.byteLength(preparePassword(password)) <= MAX_PASSWORD_BYTES;
  return fits && (match === 'typed' || bcrypt.getRounds(hash) < cost);
}

async function matches(password: string, hash: string | null, floor: number): Promise<boolean> {
  const equal = await bcrypt.compare(password, hash ?? dummyHash(floor));
  // bcrypt compares the first 72 bytes only: a longer password is never the right one.
  if (equal && hash !== null && Buffer.byteLength(password) <= MAX_PASSWORD_BYTES) return true;
  // A cheaper hash would be told from nobody by its time. Its 2^n rounds with 2^n, 2^(n+1) … of nothing are 2^floor.
  for (let cost = hash === null ? floor : bcrypt.getRounds(hash); cost < floor; cost += 1) {
    await bcrypt.compare(password, dummyHash(cost));
  }
  return false;
}

/** A well-formed hash that no password is known for: 22 characters of salt, 31 of digest. */
function dummyHash(cost: number): string {
  return `$2b$${String(cost).padStart(2, '0')}$${'.'.repeat(53)}`;
}
