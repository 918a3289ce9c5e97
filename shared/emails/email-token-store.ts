import { sql } from 'kysely';
import type { Db, Tx } from '../db/connection';
import type { EmailTokensTable } from '../db/tables';
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
 * Stores a token, and clears away the user's tokens for earlier addresses and some that have expired.
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
  await tx
    .deleteFrom('email_tokens')
    .where('user_id', '=', token.userId)
    .where('address', '<>', token.address)
    .execute();
  await sql`
    delete from email_tokens where hash in (
      select hash from email_tokens where expires_at <= ${token.now}
      order by expires_at limit ${PURGED_PER_INSERT} for update skip locked)`.execute(tx);
}

const PASSWORD_DIGEST = sql`sha256(convert_to(users.password_hash, 'UTF8'))`;

/** The user whom a token that is still good was sent to, at the address that they still have; or null. */
export async function findTokenOwner(
  db: Db,
  purpose: EmailTokenPurpose,
  hash: Buffer,
  now: Date,
): Promise<User | null> {
  const row = await tokenOwner(db, purpose, hash, now).executeTakeFirst();
  return row ? userFromRow(row) : null;
}

/**
 * Uses a token up, and with it all others of its purpose that the user was sent. Of two at once the second waits
 * for the first, and then finds nothing.
 * @returns the user, locked, or null where the token is wrong, used, expired or for an earlier address
 */
export async function useToken(
  tx: Tx,
  purpose: EmailTokenPurpose,
  hash: Buffer,
  now: Date,
): Promise<User | null> {
  const row = await tokenOwner(tx, purpose, hash, now).forNoKeyUpdate('users').executeTakeFirst();
  if (!row) return null;
  const used = await tx
    .deleteFrom('email_tokens')
    .where('user_id', '=', row.id)
    .where('purpose', '=', purpose)
    .returning('hash')
    .execute();
  return used.some((token) => token.hash.equals(hash)) ? userFromRow(row) : null;
}

function tokenOwner(db: Db, purpose: EmailTokenPurpose, hash: Buffer, now: Date) {
  return db
    .selectFrom('email_tokens')
    .innerJoin('users', 'users.id', 'email_tokens.user_id')
    .select(USER_COLUMNS)
    .where('email_tokens.hash', '=', hash)
    .where('email_tokens.purpose', '=', purpose)
    .where('email_tokens.expires_at', '>', now)
    .whereRef('email_tokens.address', '=', 'users.email')
    .where((eb) =>
      eb.or([
        eb('email_tokens.password_digest', 'is', null),
        eb('email_tokens.password_digest', '=', sql<Buffer>`${PASSWORD_DIGEST}`),
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
