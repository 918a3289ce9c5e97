import { type RawBuilder, sql } from 'kysely';
import type { Db, Tx } from '../db/connection';
import type { EmailTokensTable } from '../db/tables';
import { PASSWORD_DIGEST } from '../passwords/password-store';
import type { User } from '../users/user';
import { USER_COLUMNS, userFromRow } from '../users/user-store';

export type EmailTokenPurpose = EmailTokensTable['purpose'];

/** How many expired tokens, of whomever, go with every new one: more than come in, so that they never pile up. */
const PURGED_PER_INSERT = 10;

export interface NewEmailToken {
  hash: Buffer;
  userId: string;
  purpose: EmailTokenPurpose;
  /** The address that the token is sent to, and the only one that it proves. */
  address: string;
  now: Date;
  expiresAt: Date;
}

/**
 * Stores a token, and clears away the user's tokens for addresses that are no longer theirs, but for those that give such
 * an address back, and some that have expired.
 * In this order: the insert locks the user, as everything that removes tokens does before it does so.
 */
export async function insertEmailToken(tx: Tx, token: NewEmailToken): Promise<void> {
  // The digest binds a reset to the password that it would replace. Where that is changed in any other way
  // meanwhile, a link that lies in a mailbox, maybe a stolen one, changes it no more.
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
  /** Where the token was sent to. */
  address: string;
}

/** The user whom a token that is still good was sent to; or null. */
export async function findTokenOwner(
  db: Db,
  purpose: EmailTokenPurpose,
  hash: Buffer,
  now: Date,
): Promise<TokenOwner | null> {
  const row = await tokenOwner(db, purpose, hash, now).executeTakeFirst();
  return row ? { user: userFromRow(row), address: row.address } : null;
}

/** As `findTokenOwner`, and locks the user. */
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
 * Uses a token up, and with it all others of its purpose that the user was sent. Of two at once the second waits
 * for the first, and then finds nothing.
 * @returns the user, locked, or null where the token is wrong, used, expired or for an address that is not theirs
 */
export async function useToken(
  tx: Tx,
  purpose: EmailTokenPurpose,
  hash: Buffer,
  now: Date,
): Promise<TokenOwner | null> {
  const owner = await lockTokenOwner(tx, purpose, hash, now);
  if (!owner) return null;
  const used = await tx
    .deleteFrom('email_tokens')
    .where('user_id', '=', owner.user.id)
    .where('purpose', '=', purpose)
    .returning('hash')
    .execute();
  return used.some((token) => token.hash.equals(hash)) ? owner : null;
}

/** All that the user was sent. */
export async function deleteTokens(tx: Tx, userId: string): Promise<void> {
  await tx.deleteFrom('email_tokens').where('user_id', '=', userId).execute();
}

/** Links that would prove an address other than the one in use. */
export async function deleteVerifications(tx: Tx, userId: string): Promise<void> {
  await sql`
    delete from email_tokens using users
    where email_tokens.user_id = ${userId} and users.id = email_tokens.user_id
    and email_tokens.purpose = 'verify_email'
    and lower(email_tokens.address) is distinct from lower(users.email)`.execute(tx);
}

/**
 * What the user was sent, but for links that still give a former address back.
 * @param hash of the token that is used up by this
 * @returns false where somebody has used it meanwhile
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

/** Those that have run out, of whomever. @returns how many */
export async function purgeEmailTokens(db: Db, now: Date, limit: number): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from email_tokens where hash = any(array(
      select hash from email_tokens where expires_at <= ${now}
      order by expires_at limit ${limit} for update skip locked))`.execute(db);
  return Number(numAffectedRows ?? 0);
}

/** Which of the user's addresses, in any case, the token has to have been sent to. */
const IS_FOR_PURPOSE: Record<EmailTokenPurpose, RawBuilder<boolean>> = {
  verify_email: sql<boolean>`lower(email_tokens.address) in (lower(users.email), lower(users.pending_email))`,
  // Never an address that is not proven to be theirs yet, where another one is in use.
  reset_password: sql<boolean>`lower(email_tokens.address) = lower(users.email)`,
  // Which former address may come back is looked up under the lock on the user.
  undo_email_change: sql<boolean>`true`,
};
