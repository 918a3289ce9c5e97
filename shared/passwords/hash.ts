import bcrypt from 'bcryptjs';
import type { Config } from '../config';
import { hashArgon2, isWeakerArgon2, parseArgon2 } from './argon2-hash';
import { hashing } from './hashing';

// bcrypt ignores everything after 72 bytes. Truncating silently would let a prefix of the password log in.
export const MAX_BCRYPT_BYTES = 72;

export const fitsBcrypt = (prepared: string) => Buffer.byteLength(prepared) <= MAX_BCRYPT_BYTES;

/** The algorithm of new hashes, and bcrypt's cost: log2 of its rounds. */
export type HashSettings = Pick<Config['passwords'], 'algorithm' | 'bcryptCost'>;

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

export async function hashPassword(password: string, settings: HashSettings): Promise<HashedPassword> {
  const prepared = preparePassword(password);
  const { limit, bcrypt } = hashing();
  return limit(async () => ({
    hash:
      settings.algorithm === 'argon2id'
        ? await hashArgon2(prepared)
        : await bcrypt.hash(prepared, settings.bcryptCost),
  }));
}

/** Which form of the password matched: the prepared one, or the typed one if the hash is old or imported. */
export type PasswordMatch = 'prepared' | 'typed';

/**
 * Whether to replace the hash of a correct password: it is not of the configured algorithm, it costs less than
 * configured, or it is of the typed form.
 */
export function needsRehash(
  hash: string,
  password: string,
  match: PasswordMatch,
  { algorithm, bcryptCost }: HashSettings,
): boolean {
  const argon2 = parseArgon2(hash);
  if (algorithm === 'argon2id') return match === 'typed' || argon2 === null || isWeakerArgon2(argon2);
  if (!fitsBcrypt(preparePassword(password))) return false;
  return match === 'typed' || argon2 !== null || bcrypt.getRounds(hash) < bcryptCost;
}
