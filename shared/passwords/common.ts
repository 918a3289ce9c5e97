import { createHash } from 'node:crypto';
import { COMMON_PASSWORDS } from './common-passwords';

const FINGERPRINT_BYTES = 4;

let sorted: Buffer | undefined;

/**
 * Whether it is one of the passwords that everybody tries first, in whatever case. The list holds fingerprints: a
 * third of the size, nothing to parse, and one good password in a million taken for a common one.
 */
export function isCommonPassword(password: string): boolean {
  sorted ??= Buffer.from(COMMON_PASSWORDS, 'base64');
  const wanted = fingerprintOf(password);
  let [low, high] = [0, sorted.length / FINGERPRINT_BYTES];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const found = sorted.readUInt32BE(middle * FINGERPRINT_BYTES);
    if (found === wanted) return true;
    if (found < wanted) low = middle + 1;
    else high = middle;
  }
  return false;
}

export function fingerprintOf(password: string): number {
  return createHash('sha256').update(password.toLowerCase()).digest().readUInt32BE(0);
}
