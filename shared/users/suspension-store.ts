import { sql } from 'kysely';
import type { Db, Tx } from '../db/connection';
import type { Suspension } from './suspension';
import type { User } from './user';
import { IS_SUSPENDED, USER_COLUMNS, userFromRow } from './user-store';

/** Stores or, with null, removes the suspension of a user whom the caller has locked, as the next version. */
export async function updateSuspension(
  tx: Tx,
  id: string,
  suspension: Suspension | null,
  now: Date,
): Promise<User> {
  const row = await tx
    .updateTable('users')
    .set((eb) => ({
      suspended_at: suspension && new Date(suspension.since),
      suspended_until: suspension?.until ? new Date(suspension.until) : null,
      suspension_reason: suspension?.reason ?? null,
      version: eb('version', '+', 1),
      minor_version: 0,
      updated_at: now,
    }))
    .where('id', '=', id)
    .returning(USER_COLUMNS)
    .executeTakeFirstOrThrow();
  return userFromRow(row);
}

/**
 * Removes suspensions whose time has come, as the users' next versions, and locks those users. Of concurrent calls, one
 * gets each user.
 */
export async function removeEndedSuspensions(
  tx: Tx,
  now: Date,
  limit: number,
): Promise<{ id: string; version: number }[]> {
  const { rows } = await sql<{ id: string; version: number }>`
    update users set suspended_at = null, suspended_until = null, suspension_reason = null,
      version = version + 1, minor_version = 0, updated_at = ${now}
    where id = any(array(
      select id from users where suspended_until <= ${now}
      order by suspended_until limit ${limit} for update skip locked))
    returning id, version`.execute(tx);
  return rows;
}

/** Whether an administrator other than this user can sign in. */
export async function hasOtherActiveAdmin(db: Db, userId: string, now: Date): Promise<boolean> {
  const row = await db
    .selectFrom('users')
    .select('id')
    .where('role', '=', 'admin')
    .where('id', '<>', userId)
    .where((eb) => eb.not(IS_SUSPENDED(now)))
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
