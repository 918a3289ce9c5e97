import { sql } from 'kysely';
import type { Db } from '../db/connection';
import { addressKey } from './email-address';
import type { User } from './user';
import { IS_SUSPENDED, USER_COLUMNS, userFromRow } from './user-store';

export interface UserFilter {
  /** Prefix of the username or the email address, case-insensitive. */
  prefix?: string | undefined;
  role?: string | undefined;
  suspended?: boolean | undefined;
}

/**
 * Newest first, because ids are UUIDv7, which sort by creation time. Every page costs the same.
 * @param before the id of the last user of the previous page
 */
export async function listUsers(
  db: Db,
  { prefix, role, suspended }: UserFilter,
  limit: number,
  before: string | undefined,
  now: Date,
): Promise<User[]> {
  let query = db.selectFrom('users').select(USER_COLUMNS).orderBy('id', 'desc').limit(limit);
  if (role !== undefined) query = query.where('role', '=', role);
  if (suspended === true) query = query.where(IS_SUSPENDED(now));
  if (suspended === false) query = query.where((eb) => eb.not(IS_SUSPENDED(now)));
  if (before !== undefined) query = query.where('id', '<', before);
  if (prefix !== undefined) query = query.where(beginsWith(prefix));
  const rows = await query.execute();
  return rows.map(userFromRow);
}

/**
 * Both columns have an index in collation "C", in which a prefix is a range. For few matches the planner combines the two;
 * for many it scans the users from the newest and stops when the page is full.
 */
function beginsWith(prefix: string) {
  const pattern = `${addressKey(prefix).replace(/[\\%_]/g, '\\$&')}%`;
  return sql<boolean>`(lower(username) like ${pattern} or lower(email) like ${pattern})`;
}
