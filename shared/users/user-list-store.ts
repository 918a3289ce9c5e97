import { sql } from 'kysely';
import type { Db } from '../db/connection';
import { foldCase } from './fields';
import type { User } from './user';
import { USER_COLUMNS, userFromRow } from './user-store';

export interface UserFilter {
  /** What the username or the e-mail address begins with, in any case. */
  prefix?: string | undefined;
  role?: string | undefined;
}

/**
 * Newest first; ids are UUIDv7, which sort by the time of their making. Every page costs the same, however far down.
 * @param before the id of the last user of the page before
 */
export async function listUsers(
  db: Db,
  { prefix, role }: UserFilter,
  limit: number,
  before: string | undefined,
): Promise<User[]> {
  let query = db.selectFrom('users').select(USER_COLUMNS).orderBy('id', 'desc').limit(limit);
  if (role !== undefined) query = query.where('role', '=', role);
  if (before !== undefined) query = query.where('id', '<', before);
  if (prefix !== undefined) query = query.where('id', 'in', idsByPrefix(prefix));
  const rows = await query.execute();
  return rows.map(userFromRow);
}

/** Both names by their own index: an OR of the two would use neither. */
function idsByPrefix(prefix: string) {
  const pattern = `${foldCase(prefix).replace(/[\\%_]/g, '\\$&')}%`;
  return sql<string>`(
    select id from users where lower(username) like ${pattern}
    union select id from users where lower(email) like ${pattern})`;
}
