import { type RawBuilder, sql } from 'kysely';
import type { Db, Tx } from '../db/connection';
import type { EmailTokensTable } from '../db/tables';
import { PASSWORD_DIGEST } from '../passwords/password-store';
import type { User } from '../users/user';
import { USER_COLUMNS, userFromRow } from '../users/user-store';

export type EmailTokenPurpose = EmailTokensTable['purpose'];

/** Each insert deletes this many expired tokens, more than it adds, so the table stays small. */
const PURGED_PER_INSERT = 10;

export interface NewEmailToken {
  hash: Buffer;
  userId: string;
  purpose: EmailTokenPurpose;
  /** The address that the token is sent to, and the only one that it verifies. */
  address: string;
  now: Date;
  expiresAt: Date;
}

/**
 * Stores a token. Then deletes the user's tokens for addresses that are no longer theirs, except undo tokens, and some
 * expired tokens. The insert comes first because it locks the user, as everything does that deletes tokens.
 */
export async function insertEmailToken(tx: Tx, token: NewEmailToken): Promise<void> {
  // The digest binds a reset link to the password that it replaces: once that password has changed, an old link in a
  // possibly stolen mailbox no longer works.
  await sql`
    insert into email_tokens (hash, user_id, purpose, address, password_digest, created_at, expires_at)
    select ${token.hash}, users.id, ${token.purpose}, ${token.address},
      case when ${token.purpose} = 'reset_password' then ${PASSWORD_DIGEST} end, ${token.now}, ${token.expiresAt}
    from users where users.id = ${token.userId}`.execute(tx);
  await sql`
    delete from email_tokens using users
    where email_tokens.user_id = ${token.userId} and users.id = email_tokens.user_id
    and email_tokens.purpose <> 'undo_email_change'
    and lower(email_tokens.address) is distinct from lower(users.email)
    and lower(email_tokens.address) is distinct from lower(users.pending_email)`.execute(tx);
  await sql`
    delete from email_tokens where hash in (
      select hash from email_tokens where expires_at <= ${token.now}
      order by expires_at limit ${PURGED_PER_INSERT} for update skip locked)`.execute(tx);
}

export interface TokenOwner {
  user: User;
  /** The address that the token was sent to. */
  address: string;
}

/** The owner of a valid token, or null. */
export async function findTokenOwner(
  db: Db,
  purpose: EmailTokenPurpose,
  hash: Buffer,
  now: Date,
): Promise<TokenOwner | null> {
  const row = await tokenOwner(db, purpose, hash, now).executeTakeFirst();
  return row ? { user: userFromRow(row), address: row.address } : null;
}

/** Like `findTokenOwner`; locks the user. */
export async function lockTokenOwner(
  tx: Tx,
  purpose: EmailTokenPurpose,
  hash: Buffer,
  now: Date,
): Promise<TokenOwner | null> {
  const row = await tokenOwner(tx, purpose, hash, now).forNoKeyUpdate('users').executeTakeFirst();
  return row ? { user: userFromRow(row), address: row.address } : null;
}

/**
 * Uses a token and deletes the user's other tokens of its purpose for the same address. A concurrent use waits and then finds
 * nothing.
 * @returns the locked user, or null if the token is invalid, used, expired or for an address that is not theirs
 */
export async function useToken(
  tx: Tx,
  purpose: EmailTokenPurpose,
  hash: Buffer,
  now: Date,
): Promise<TokenOwner | null> {
  const owner = await lockTokenOwner(tx, purpose, hash, now);
  if (!owner) return null;
  // The password again: the statement that waited for the lock may have read one that was replaced meanwhile.
  const { rows } = await sql<{ hash: Buffer; is_current: boolean }>`
    delete from email_tokens using users
    where email_tokens.user_id = ${owner.user.id} and users.id = email_tokens.user_id
    and email_tokens.purpose = ${purpose} and lower(email_tokens.address) = lower(${owner.address})
    returning hash, (password_digest is null or password_digest = ${PASSWORD_DIGEST}) as is_current`.execute(
    tx,
  );
  return rows.some((token) => token.is_current && token.hash.equals(hash)) ? owner : null;
}

/** Deletes all of the user's tokens. */
export async function deleteTokens(tx: Tx, userId: string): Promise<void> {
  await tx.deleteFrom('email_tokens').where('user_id', '=', userId).execute();
}

/** Deletes verification tokens for other addresses than the current one. */
export async function deleteVerifications(tx: Tx, userId: string): Promise<void> {
  await sql`
    delete from email_tokens using users
    where email_tokens.user_id = ${userId} and users.id = email_tokens.user_id
    and email_tokens.purpose = 'verify_email'
    and lower(email_tokens.address) is distinct from lower(users.email)`.execute(tx);
}

/**
 * Deletes the user's tokens, except undo tokens of addresses that can still be restored.
 * @param hash of the token that is being used
 * @returns false if it was used meanwhile
 */
export async function deleteTokensAfterUndo(tx: Tx, userId: string, hash: Buffer): Promise<boolean> {
  const { rows } = await sql<{ hash: Buffer }>`
    delete from email_tokens where user_id = ${userId} and (hash = ${hash} or purpose <> 'undo_email_change'
      or not exists (
        select from former_emails
        where former_emails.user_id = ${userId} and lower(former_emails.address) = lower(email_tokens.address)))
    returning hash`.execute(tx);
  return rows.some((row) => row.hash.equals(hash));
}

function tokenOwner(db: Db, purpose: EmailTokenPurpose, hash: Buffer, now: Date) {
  return db
    .selectFrom('email_tokens')
    .innerJoin('users', 'users.id', 'email_tokens.user_id')
    .select([...USER_COLUMNS, 'email_tokens.address'])
    .where('email_tokens.hash', '=', hash)
    .where('email_tokens.purpose', '=', purpose)
    .where('email_tokens.expires_at', '>', now)
    .where(IS_FOR_PURPOSE[purpose])
    .where((eb) =>
      eb.or([
        eb('email_tokens.password_digest', 'is', null),
        eb('email_tokens.password_digest', '=', PASSWORD_DIGEST),
      ]),
    );
}

/** The addresses of the user for which a token of each purpose is valid, case-insensitive. */
const IS_FOR_PURPOSE: Record<EmailTokenPurpose, RawBuilder<boolean>> = {
  verify_email: sql<boolean>`lower(email_tokens.address) in (lower(users.email), lower(users.pending_email))`,
  // Never the pending address, which is not verified to be theirs.
  reset_password: sql<boolean>`lower(email_tokens.address) = lower(users.email)`,
  // `undoEmailChange` checks the former addresses under the lock on the user.
  undo_email_change: sql<boolean>`true`,
};
