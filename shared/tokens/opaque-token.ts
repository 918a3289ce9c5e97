import { createHash, randomBytes } from 'node:crypto';

const TOKEN_BYTES = 32;

/** 256 random bits as 43 characters that need no escaping in a URL. */
export function newOpaqueToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}

/**
 * What is stored instead of the token: a copy of the table opens nothing. A fast hash is enough for 256 random
 * bits, there is nothing to guess; and looking it up by its hash compares in a time that tells nothing of the token.
 */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
