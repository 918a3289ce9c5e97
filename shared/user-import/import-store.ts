import { sql } from 'kysely';
import { foldCase } from '../characters';
import type { Db, Tx } from '../db/connection';
import type { User } from '../users/user';
import { USER_COLUMNS, userFromRow } from '../users/user-store';
import type { ImportedUser } from './import-line';

export interface ImportProgress {
  /** Imported bytes and lines of the file. */
  position: number;
  lines: number;
  imported: number;
  /** Users who already existed. */
  skipped: number;
  bad: number;
}

/** Starts an import, or returns the progress of an earlier run for a file with this hash. */
export async function beginImport(
  db: Db,
  fileHash: Buffer,
  now: Date,
): Promise<ImportProgress & { finishedAt: Date | null }> {
  await db
    .insertInto('user_imports')
    .values({ file_hash: fileHash, position: 0, lines: 0, imported: 0, skipped: 0, bad: 0, started_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const row = await db
    .selectFrom('user_imports')
    .selectAll()
    .where('file_hash', '=', fileHash)
    .executeTakeFirstOrThrow();
  const { lines, imported, skipped, bad } = row;
  return { position: Number(row.position), lines, imported, skipped, bad, finishedAt: row.finished_at };
}

/** Records a batch's progress, in its transaction. @returns false if another run has advanced it meanwhile */
export async function advanceImport(
  db: Db,
  fileHash: Buffer,
  from: ImportProgress,
  to: ImportProgress,
  finishedAt: Date | null = null,
): Promise<boolean> {
  const result = await db
    .updateTable('user_imports')
    .set({ ...to, finished_at: finishedAt })
    .where('file_hash', '=', fileHash)
    .where('position', '=', sql<string>`${from.position}`)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

export async function listRoleNames(db: Db): Promise<Set<string>> {
  const rows = await db.selectFrom('roles').select('name').execute();
  return new Set(rows.map(({ name }) => name));
}

export type UserToImport = ImportedUser & { id: string; createdAt: Date };

/** @returns the inserted users, without those whose username or email address is taken, also within the batch */
export async function insertNewUsers(tx: Tx, users: UserToImport[]): Promise<User[]> {
  if (users.length === 0) return [];
  const rows = await tx
    .insertInto('users')
    .values(
      users.map((user) => ({
        id: user.id,
        username: user.username,
        email: user.email,
        email_verified: user.emailVerified,
        display_name: user.displayName,
        metadata: JSON.stringify(user.metadata),
        role: user.role,
        created_at: user.createdAt,
        updated_at: user.createdAt,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .returning(USER_COLUMNS)
    .execute();
  return rows.map(userFromRow);
}

/** The users who have these usernames and email addresses, case-insensitive. */
export async function findHolders(
  tx: Tx,
  users: ImportedUser[],
): Promise<{ byUsername: Map<string, string>; byEmail: Map<string, string> }> {
  const usernames = users.map(({ username }) => foldCase(username));
  const emails = users.flatMap(({ email }) => (email === null ? [] : [foldCase(email)]));
  const rows = await tx
    .selectFrom('users')
    .select(['id', 'username', 'email'])
    .where((eb) =>
      eb.or([
        sql<boolean>`lower(username) = any(${usernames}::text[])`,
        sql<boolean>`lower(email) = any(${emails}::text[])`,
      ]),
    )
    .execute();
  return {
    byUsername: new Map(rows.map((row) => [foldCase(row.username), row.id])),
    byEmail: new Map(rows.flatMap((row) => (row.email === null ? [] : [[foldCase(row.email), row.id]]))),
  };
}
