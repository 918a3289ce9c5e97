import { sql } from 'kysely';
import type { Db, Tx } from '../db/connection';
import { addressKey } from './email-address';
import { foldCase } from './fold-case';
import type { User } from './user';
import { USER_COLUMNS, userFromRow } from './user-store';

export type LoginName = { username: string } | { email: string };

export interface LoginRecord {
  user: User;
  passwordHash: string;
  rolePermissions: string[];
  /** Whether they have been logged in at the given address of late. */
  knownAddress: boolean;
}

/** The user with the hash to compare with: the one place that reads hashes. */
export async function findForLogin(
  db: Db,
  name: LoginName,
  address: string | null = null,
): Promise<LoginRecord | null> {
  const [column, key] =
    'email' in name
      ? (['email', addressKey(name.email)] as const)
      : (['username', foldCase(name.username.trim())] as const);
  const row = await db
    .selectFrom('users')
    .innerJoin('roles', 'roles.name', 'users.role')
    .select([...USER_COLUMNS, 'users.password_hash', 'roles.permissions'])
    .select(
      sql<boolean>`exists (select from sessions where user_id = users.id and address = ${address})`.as(
        'known',
      ),
    )
    .where(sql`lower(${sql.ref(`users.${column}`)})`, '=', key)
    .executeTakeFirst();
  if (!row) return null;
  return {
    user: userFromRow(row),
    passwordHash: row.password_hash,
    rolePermissions: row.permissions,
    knownAddress: row.known,
  };
}

/** Stores a rehash of the same password: no change that a client can see. @returns false where it has changed since */
export async function replaceHash(
  db: Db,
  userId: string,
  oldHash: string,
  newHash: string,
): Promise<boolean> {
  const result = await db
    .updateTable('users')
    .set({ password_hash: newHash })
    .where('id', '=', userId)
    .where('password_hash', '=', oldHash)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** The caller holds a lock on the user, and so knows that the address is still the one that was proven. */
export function markEmailVerified(tx: Tx, userId: string, now: Date): Promise<User> {
  return changeCredentials(tx, userId, { email_verified: true }, now);
}

/** As `markEmailVerified`, with the password that was chosen by whoever proved the address. */
export function resetPasswordHash(tx: Tx, userId: string, passwordHash: string, now: Date): Promise<User> {
  return changeCredentials(tx, userId, { email_verified: true, password_hash: passwordHash }, now);
}

export async function findPasswordHash(db: Db, userId: string): Promise<string | null> {
  const row = await db
    .selectFrom('users')
    .select('password_hash')
    .where('id', '=', userId)
    .executeTakeFirst();
  return row?.password_hash ?? null;
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
  if (checkedHash !== null && (await findPasswordHash(tx, userId)) !== checkedHash) return null;
  return changeCredentials(tx, userId, { password_hash: passwordHash }, now);
}

async function changeCredentials(
  tx: Tx,
  userId: string,
  change: { email_verified?: true; password_hash?: string },
  now: Date,
): Promise<User> {
  const row = await tx
    .updateTable('users')
    .set((eb) => ({ ...change, version: eb('version', '+', 1), minor_version: 0, updated_at: now }))
    .where('id', '=', userId)
    .returning(USER_COLUMNS)
    .executeTakeFirstOrThrow();
  return userFromRow(row);
}
