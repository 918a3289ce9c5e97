import { createHash, randomBytes } from 'node:crypto';

const TOKEN_BYTES = 32;

/** 256 random bits as 43 URL-safe characters. */
export function newOpaqueToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}

/**
 * Stored instead of the token, so that a copy of the table cannot be used. A fast hash is enough, because 256 random bits
 * cannot be guessed. The time of a lookup by hash reveals nothing about the token.
 */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
