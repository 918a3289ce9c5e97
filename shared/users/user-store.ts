import type { Selectable } from 'kysely';
import { sql } from 'kysely';
import { type Db, type Tx, violatedForeignKey, violatedUniqueConstraint } from '../db/connection';
import type { UsersTable } from '../db/tables';
import { DomainError } from '../errors';
import { unknownRole } from '../roles/role';
import { addressKey } from './email-address';
import type { User } from './user';

export interface NewUser {
  id: string;
  username: string;
  email: string | null;
  displayName: string | null;
  metadata: Record<string, unknown>;
  role: string;
  now: Date;
}

export const USER_COLUMNS = [
  'users.id',
  'users.username',
  'users.email',
  'users.email_verified',
  'users.pending_email',
  'users.display_name',
  'users.metadata',
  'users.role',
  'users.version',
  'users.created_at',
  'users.updated_at',
  'users.suspended_at',
  'users.suspended_until',
  'users.suspension_reason',
] as const;

type UserRow = Omit<Selectable<UsersTable>, 'minor_version'>;

export function userFromRow(row: UserRow): User {
  return {
    id: row.id,
    username: row.username,
    email: row.email,
    emailVerified: row.email_verified,
    pendingEmail: row.pending_email,
    displayName: row.display_name,
    metadata: row.metadata,
    role: row.role,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    version: row.version,
    suspension: row.suspended_at && {
      since: row.suspended_at.toISOString(),
      until: row.suspended_until?.toISOString() ?? null,
      reason: row.suspension_reason,
    },
  };
}

/** Whether a user is suspended at this time, as `activeSuspension` decides it. */
export const IS_SUSPENDED = (now: Date) =>
  sql<boolean>`(users.suspended_at is not null
    and (users.suspended_until is null or users.suspended_until > ${now}))`;

/** @throws DomainError `username_taken` or `email_taken`, decided by unique constraints, so concurrent inserts are safe */
export async function insertUser(tx: Tx, user: NewUser): Promise<User> {
  const row = await tx
    .insertInto('users')
    .values({
      id: user.id,
      username: user.username,
      email: user.email,
      display_name: user.displayName,
      metadata: JSON.stringify(user.metadata),
      role: user.role,
      created_at: user.now,
      updated_at: user.now,
    })
    .returning(USER_COLUMNS)
    .executeTakeFirstOrThrow()
    .catch(rethrowViolation);
  return userFromRow(row);
}

export async function findUser(db: Db, id: string): Promise<User | null> {
  const row = await db.selectFrom('users').select(USER_COLUMNS).where('id', '=', id).executeTakeFirst();
  return row ? userFromRow(row) : null;
}

export async function findUserIdByEmail(db: Db, email: string): Promise<string | null> {
  const row = await db
    .selectFrom('users')
    .select('id')
    .where(sql`lower(email)`, '=', addressKey(email))
    .executeTakeFirst();
  return row?.id ?? null;
}

/** Like `findUser`; locks the row until the transaction ends. */
export async function lockUserRow(tx: Tx, id: string): Promise<User | null> {
  const row = await tx
    .selectFrom('users')
    .select(USER_COLUMNS)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  return row ? userFromRow(row) : null;
}

/** Stores the changeable fields of a user whom the caller has locked, as the next version. */
export async function updateUserRow(tx: Tx, user: User, now: Date): Promise<User> {
  const row = await tx
    .updateTable('users')
    .set((eb) => ({
      username: user.username,
      email: user.email,
      email_verified: user.emailVerified,
      pending_email: user.pendingEmail,
      display_name: user.displayName,
      metadata: JSON.stringify(user.metadata),
      version: eb('version', '+', 1),
      minor_version: 0,
      updated_at: now,
    }))
    .where('id', '=', user.id)
    .returning(USER_COLUMNS)
    .executeTakeFirstOrThrow()
    .catch(rethrowViolation);
  return userFromRow(row);
}

export async function updateRole(tx: Tx, id: string, role: string, now: Date): Promise<User> {
  const row = await tx
    .updateTable('users')
    .set((eb) => ({ role, version: eb('version', '+', 1), minor_version: 0, updated_at: now }))
    .where('id', '=', id)
    .returning(USER_COLUMNS)
    .executeTakeFirstOrThrow()
    .catch(rethrowViolation);
  return userFromRow(row);
}

/** Cascades to sessions, refresh tokens and email tokens. */
export async function deleteUserRow(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('users').where('id', '=', id).execute();
}

/** @throws DomainError for a violated constraint; rethrows any other error */
function rethrowViolation(error: unknown): never {
  switch (violatedUniqueConstraint(error)) {
    case 'users_username_key':
      throw new DomainError('username_taken');
    case 'users_email_key':
      throw new DomainError('email_taken');
  }
  // The role was deleted after the lookup.
  if (violatedForeignKey(error) === 'users_role_fkey') throw unknownRole();
  throw error;
}
