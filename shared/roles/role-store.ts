import { sql } from 'kysely';
import { type Db, type Tx, violatedForeignKey } from '../db/connection';
import { DomainError } from '../errors';
import { permissionsOf } from './permissions';
import type { Role } from './role';

/** @returns the permissions stored with the role, or null if the role does not exist */
export async function findRolePermissions(db: Db, name: string): Promise<string[] | null> {
  const row = await db.selectFrom('roles').select('permissions').where('name', '=', name).executeTakeFirst();
  return row?.permissions ?? null;
}

/** A role as it is stored; locks it against changes and deletion until the transaction ends. */
export async function lockRole(
  tx: Tx,
  name: string,
): Promise<{ permissions: string[]; requiresFactor: boolean } | null> {
  const row = await tx
    .selectFrom('roles')
    .select(['permissions', 'requires_factor'])
    .where('name', '=', name)
    // Not a stronger lock: foreign key checks of users who get the role need not wait.
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row ? { permissions: row.permissions, requiresFactor: row.requires_factor } : null;
}

export async function listRoles(db: Db): Promise<Role[]> {
  const rows = await db.selectFrom('roles').selectAll().orderBy('name').execute();
  return rows.map(({ name, permissions, requires_factor: requiresFactor }) => ({
    name,
    permissions: [...permissionsOf(name, permissions)],
    requiresFactor,
  }));
}

/** @returns whether the role was created */
export async function upsertRole(db: Db, { name, permissions, requiresFactor }: Role): Promise<boolean> {
  const { rows } = await sql<{ created: boolean }>`
    insert into roles (name, permissions, requires_factor)
    values (${name}, ${permissions}::text[], ${requiresFactor})
    on conflict (name) do update set
      permissions = excluded.permissions, requires_factor = excluded.requires_factor
    -- xmax is 0 for inserted rows, not for updated ones.
    returning xmax = 0 as created`.execute(db);
  return rows[0]?.created ?? false;
}

/** @throws DomainError `role_in_use`, decided by the database */
export async function deleteRoleRow(tx: Tx, name: string): Promise<void> {
  await tx
    .deleteFrom('roles')
    .where('name', '=', name)
    .execute()
    .catch((error: unknown) => {
      throw violatedForeignKey(error) === 'users_role_fkey' ? new DomainError('role_in_use') : error;
    });
}
