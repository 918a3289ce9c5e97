import bcrypt from 'bcryptjs';

// bcrypt reads no more than 72 bytes. Cutting silently would let a prefix of the password log in.
export const MAX_PASSWORD_BYTES = 72;

/** @param cost log2 of the rounds */
export function hashPassword(password: string, cost: number): Promise<string> {
  return bcrypt.hash(password, cost);
}

/**
 * Compares a password with a user's hash, or, where there is no such user, with nothing at the same cost.
 * Always hashes once, so that the time does not tell whether the user exists.
 */
export async function verifyPassword(password: string, hash: string | null, cost: number): Promise<boolean> {
  const matches = await bcrypt.compare(password, hash ?? dummyHash(cost));
  // bcrypt compares the first 72 bytes only: a longer password is never the right one.
  return hash !== null && matches && Buffer.byteLength(password) <= MAX_PASSWORD_BYTES;
}

/** True where the configured cost has been raised since this hash was made. */
export function needsRehash(hash: string, cost: number): boolean {
  return bcrypt.getRounds(hash) < cost;
}

/** A well-formed hash that no password is known for: 22 characters of salt, 31 of digest. */
function dummyHash(cost: number): string {
  return `$2b$${String(cost).padStart(2, '0')}$${'.'.repeat(53)}`;
}
