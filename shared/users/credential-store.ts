import type { Db, Tx } from '../db/connection';
import type { User } from './user';
import { USER_COLUMNS, userFromRow } from './user-store';

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
