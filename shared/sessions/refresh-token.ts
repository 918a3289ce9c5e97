import { createHmac, randomBytes } from 'node:crypto';

const SEED_BYTES = 32;

export function randomSeed(): Buffer {
  return randomBytes(SEED_BYTES);
}

/**
 * The token that follows this one: always the same one, so that everybody who refreshes with this token at the same
 * moment gets the same successor, and a session never has two tokens that are valid. The seed is in the database
 * and the token is not, so neither a stolen token nor a stolen database is enough to make it.
 */
export function successorOf(token: string, seed: Buffer): string {
  return createHmac('sha256', seed).update(token).digest('base64url');
}
