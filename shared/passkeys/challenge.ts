import type { Context } from '../context/context';
import { hashToken, newOpaqueToken } from '../tokens/opaque-token';
import { insertPasskeyChallenge, takePasskeyChallenge } from './challenge-store';

export const CHALLENGE_MS = 5 * 60 * 1000;

/** A new challenge: 256 random bits. @param userId whose registration it is for; null for an authentication */
export async function newChallenge(ctx: Context, userId: string | null): Promise<string> {
  const challenge = newOpaqueToken();
  const expiresAt = new Date(ctx.now().getTime() + CHALLENGE_MS);
  await insertPasskeyChallenge(ctx.db, hashToken(challenge), userId, expiresAt);
  return challenge;
}

/** @returns false if it was taken, has expired, never was, or is for something else */
export function takeChallenge(ctx: Context, challenge: string, userId: string | null): Promise<boolean> {
  return takePasskeyChallenge(ctx.db, hashToken(challenge), userId, ctx.now());
}
