import { createHmac, randomBytes } from 'node:crypto';

const SEED_BYTES = 32;

export function randomSeed(): Buffer {
  return randomBytes(SEED_BYTES);
}

/**
 * The successor of a token. Deterministic, so that concurrent refreshes with one token get the same successor and a
 * session never has two valid tokens. Needs the seed, which only the database has, and the token, which it has not: a
 * stolen token or a stolen database alone is not enough.
 */
export function successorOf(token: string, seed: Buffer): string {
  return createHmac('sha256', seed).update(token).digest('base64url');
}
