import type { Db, Tx } from '../db/connection';
import type { AuthenticationMethod } from '../sessions/proof';

export interface Challenge {
  userId: string;
  passwordDigest: Buffer;
  /** How the first factor was proven. */
  amr: readonly AuthenticationMethod[];
}

export async function insertChallenge(
  tx: Tx,
  hash: Buffer,
  challenge: Challenge,
  expiresAt: Date,
): Promise<void> {
  await tx
    .insertInto('factor_challenges')
    .values({
      hash,
      user_id: challenge.userId,
      password_digest: challenge.passwordDigest,
      amr: [...challenge.amr],
      expires_at: expiresAt,
    })
    .execute();
}

/** @returns null if it was used, has expired or never was */
export async function findChallenge(db: Db, hash: Buffer, now: Date): Promise<Challenge | null> {
  const row = await db
    .selectFrom('factor_challenges')
    .select(['user_id', 'password_digest', 'amr'])
    .where('hash', '=', hash)
    .where('expires_at', '>', now)
    .executeTakeFirst();
  if (!row) return null;
  const { user_id: userId, password_digest: passwordDigest, amr } = row;
  return { userId, passwordDigest, amr: amr as AuthenticationMethod[] };
}

/** @returns false if it was taken meanwhile */
export async function takeChallenge(tx: Tx, hash: Buffer): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('factor_challenges')
    .where('hash', '=', hash)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

/** Deletes all challenges of a user. */
export async function deleteChallenges(tx: Tx, userId: string): Promise<void> {
  await tx.deleteFrom('factor_challenges').where('user_id', '=', userId).execute();
}
