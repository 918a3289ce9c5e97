import { createHash, createHmac, randomBytes } from 'node:crypto';

const TOKEN_BYTES = 32;

export function randomRefreshToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}

export function randomSeed(): Buffer {
  return randomBytes(TOKEN_BYTES);
}

/**
 * The token that follows this one: always the same one, so that everybody who refreshes with this token at the same
 * moment gets the same successor, and a session never has two tokens that are valid. The seed is in the database
 * and the token is not, so neither a stolen token nor a stolen database is enough to make it.
 */
export function successorOf(token: string, seed: Buffer): string {
  return createHmac('sha256', seed).update(token).digest('base64url');
}

/** A fast hash is enough for 256 random bits: there is nothing to guess. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
