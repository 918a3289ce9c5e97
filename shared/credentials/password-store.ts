import { sql } from 'kysely';
import { foldCase } from '../characters';
import type { Db, Tx } from '../db/connection';
import { addressKey } from '../users/email-address';
import type { User } from '../users/user';
import { rethrowViolation, USER_COLUMNS, userFromRow } from '../users/user-store';

export type LoginName = { username: string } | { email: string };

export interface LoginRecord {
  user: User;
  passwordHash: string;
  rolePermissions: string[];
  /** Where they have been logged in of late. */
  addresses: string[];
}

/** More than anyone has, and few enough to look through at every login. */
const MAX_ADDRESSES = 100;

/** The user with the hash to compare with. */
export async function findForLogin(db: Db, name: LoginName): Promise<LoginRecord | null> {
  const [column, key] =
    'email' in name
      ? (['email', addressKey(name.email)] as const)
      : (['username', foldCase(name.username.trim())] as const);
  const row = await db
    .selectFrom('users')
    .innerJoin('roles', 'roles.name', 'users.role')
    .select([...USER_COLUMNS, 'users.password_hash', 'roles.permissions'])
    .select(
      sql<string[]>`array(
        select address from sessions where user_id = users.id and address is not null
        group by address order by max(created_at) desc limit ${sql.lit(MAX_ADDRESSES)})`.as('addresses'),
    )
    .where(sql`lower(${sql.ref(`users.${column}`)})`, '=', key)
    .executeTakeFirst();
  if (!row) return null;
  return {
    user: userFromRow(row),
    passwordHash: row.password_hash,
    rolePermissions: row.permissions,
    addresses: row.addresses,
  };
}

/** log2 of the rounds of the most expensive hash that any user has, from its index; 0 where there is no user. */
export async function findHighestHashCost(db: Db): Promise<number> {
  const { cost } = await db
    .selectFrom('users')
    .select(sql<string | null>`max(${HASH_COST})`.as('cost'))
    .executeTakeFirstOrThrow();
  return Number(cost);
}

/** As `users_hash_cost_index` has it: the two digits behind `$2b$`. */
const HASH_COST = sql`substr(password_hash, 5, 2)`;

/**
 * Stores a rehash of the same password: no change that a client can see. A reset link that is under way stays good.
 * @returns false where it has changed since
 */
export async function replaceHash(
  db: Db,
  userId: string,
  oldHash: string,
  newHash: string,
): Promise<boolean> {
  const digestOf = (hash: string) => sql`sha256(convert_to(${hash}, 'UTF8'))`;
  const { rows } = await sql`
    with replaced as (
      update users set password_hash = ${newHash} where id = ${userId} and password_hash = ${oldHash} returning id),
    links as (
      update email_tokens set password_digest = ${digestOf(newHash)} from replaced
      where user_id = replaced.id and password_digest = ${digestOf(oldHash)})
    select id from replaced`.execute(db);
  return rows.length > 0;
}

/** The caller holds a lock on the user, and so knows that the address is still the one that was proven. */
export function markEmailVerified(tx: Tx, userId: string, now: Date): Promise<User> {
  return changeCredentials(tx, userId, { email_verified: true }, now);
}

/** As `markEmailVerified`, with the password that was chosen by whoever proved the address. */
export function resetPasswordHash(tx: Tx, userId: string, passwordHash: string, now: Date): Promise<User> {
  return changeCredentials(tx, userId, { email_verified: true, ...newPassword(passwordHash) }, now);
}

/** As `resetPasswordHash`, with the address that was proven. @throws DomainError `email_taken` */
export function restoreCredentials(
  tx: Tx,
  userId: string,
  { email, passwordHash }: { email: string | null; passwordHash: string },
  now: Date,
): Promise<User> {
  return changeCredentials(tx, userId, { email, email_verified: true, ...newPassword(passwordHash) }, now);
}

/** What a user has to prove a password with, and the name that a wrong one counts against. */
export async function findCredentials(
  db: Db,
  userId: string,
): Promise<{ username: string; passwordHash: string } | null> {
  const row = await db
    .selectFrom('users')
    .select(['username', 'password_hash'])
    .where('id', '=', userId)
    .executeTakeFirst();
  return row ? { username: row.username, passwordHash: row.password_hash } : null;
}

/**
 * Sets another password, as the next version.
 * @param checkedHash given: only while the password is still the one that was checked
 * @returns null where it is not
 */
export async function replacePassword(
  tx: Tx,
  userId: string,
  passwordHash: string,
  checkedHash: string | null,
  now: Date,
): Promise<User | null> {
  if (checkedHash !== null && (await findCredentials(tx, userId))?.passwordHash !== checkedHash) return null;
  return changeCredentials(tx, userId, newPassword(passwordHash), now);
}

/** Whoever knew the old password may have asked for another address: with the password, that goes too. */
function newPassword(passwordHash: string) {
  return { password_hash: passwordHash, pending_email: null };
}

async function changeCredentials(
  tx: Tx,
  userId: string,
  change: { email?: string | null; email_verified?: true; password_hash?: string; pending_email?: null },
  now: Date,
): Promise<User> {
  const row = await tx
    .updateTable('users')
    .set((eb) => ({ ...change, version: eb('version', '+', 1), minor_version: 0, updated_at: now }))
    .where('id', '=', userId)
    .returning(USER_COLUMNS)
    .executeTakeFirstOrThrow()
    .catch(rethrowViolation);
  return userFromRow(row);
}
