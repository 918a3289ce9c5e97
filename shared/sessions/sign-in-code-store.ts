import type { Db, Tx } from '../db/connection';

/** What a code is bound to. */
export interface SignInCode {
  sessionId: string;
  /** Hash of the page's refresh token. */
  tokenHash: Buffer;
  returnTo: string;
  codeChallenge: string | null;
}

/** A used code is remembered for this long after it has expired, so that its second use is noticed. */
export const REMEMBERED_MS = 60 * 60 * 1000;

/** Stores a code in the place of an earlier one of the session that was not used. */
export async function insertSignInCode(
  tx: Tx,
  hash: Buffer,
  code: SignInCode,
  expiresAt: Date,
): Promise<void> {
  await tx
    .deleteFrom('sign_in_codes')
    .where('session_id', '=', code.sessionId)
    .where('used_at', 'is', null)
    .execute();
  await tx
    .insertInto('sign_in_codes')
    .values({
      hash,
      session_id: code.sessionId,
      token_hash: code.tokenHash,
      return_to: code.returnTo,
      code_challenge: code.codeChallenge,
      expires_at: expiresAt,
    })
    .execute();
}

/** Whose session it is; null if there never was such a code, or it is forgotten. */
export async function findSignInCodeOwner(
  db: Db,
  hash: Buffer,
): Promise<{ sessionId: string; userId: string; isUsed: boolean } | null> {
  const row = await db
    .selectFrom('sign_in_codes')
    .innerJoin('sessions', 'sessions.id', 'sign_in_codes.session_id')
    .select(['sessions.id', 'sessions.user_id', 'sign_in_codes.used_at'])
    .where('sign_in_codes.hash', '=', hash)
    .executeTakeFirst();
  return row ? { sessionId: row.id, userId: row.user_id, isUsed: row.used_at !== null } : null;
}

/** Uses a code up. @returns null if it was used, also by a concurrent call, or has expired */
export async function useSignInCode(tx: Tx, hash: Buffer, now: Date): Promise<SignInCode | null> {
  const row = await tx
    .updateTable('sign_in_codes')
    .set({ used_at: now })
    .where('hash', '=', hash)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .returning(['session_id', 'token_hash', 'return_to', 'code_challenge'])
    .executeTakeFirst();
  if (!row) return null;
  return {
    sessionId: row.session_id,
    tokenHash: row.token_hash,
    returnTo: row.return_to,
    codeChallenge: row.code_challenge,
  };
}
