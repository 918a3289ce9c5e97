import { randomBytes } from 'node:crypto';
import { hashToken } from '../tokens/opaque-token';

const CODES = 10;
/** 120 bits: from 112 on, a fast hash is enough (ASVS 5.0, 6.5.2). */
const CODE_BYTES = 15;
/** Crockford's base32: without I, L, O and U, which people confuse. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** Ten codes of 24 characters, such as `4f7k-…`. */
export function newRecoveryCodes(): string[] {
  return Array.from({ length: CODES }, () => {
    const bits = [...randomBytes(CODE_BYTES)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
    const text = (bits.match(/.{5}/g) ?? []).map((five) => ALPHABET[Number.parseInt(five, 2)]).join('');
    return (text.match(/.{4}/g) ?? []).join('-');
  });
}

/** The hash of a code, however it was typed. */
export function hashRecoveryCode(code: string): Buffer {
  const text = code.toLowerCase().replace(/[\s-]/g, '').replace(/o/g, '0').replace(/[il]/g, '1');
  return hashToken(text);
}
