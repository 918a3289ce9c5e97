import type { Db } from '../db/connection';

/** @param userId whose registration it is for; null for an authentication */
export async function insertPasskeyChallenge(
  db: Db,
  hash: Buffer,
  userId: string | null,
  expiresAt: Date,
): Promise<void> {
  await db
    .insertInto('passkey_challenges')
    .values({ hash, user_id: userId, expires_at: expiresAt })
    .execute();
}

/**
 * Takes a challenge, which works once, however many ask at a time.
 * @returns false if it was taken, has expired, never was, or is for something else
 */
export async function takePasskeyChallenge(
  db: Db,
  hash: Buffer,
  userId: string | null,
  now: Date,
): Promise<boolean> {
  const row = await db
    .deleteFrom('passkey_challenges')
    .where('hash', '=', hash)
    .where('user_id', 'is not distinct from', userId)
    .where('expires_at', '>', now)
    .returning('hash')
    .executeTakeFirst();
  return row !== undefined;
}
