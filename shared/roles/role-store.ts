import type { Db } from '../db/connection';

/** @returns the permissions stored with the role, or null where there is no such role */
export async function findRolePermissions(db: Db, name: string): Promise<string[] | null> {
  const row = await db.selectFrom('roles').select('permissions').where('name', '=', name).executeTakeFirst();
  return row?.permissions ?? null;
}
