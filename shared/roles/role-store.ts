import { sql } from 'kysely';
import { type Db, type Tx, violatedForeignKey } from '../db/connection';
import { DomainError } from '../errors';
import { permissionsOf } from './permissions';
import type { Role } from './role';

/** @returns the permissions stored with the role, or null where there is no such role */
export async function findRolePermissions(db: Db, name: string): Promise<string[] | null> {
  const row = await db.selectFrom('roles').select('permissions').where('name', '=', name).executeTakeFirst();
  return row?.permissions ?? null;
}

/** As `findRolePermissions`, and keeps others from changing or deleting the role until the transaction ends. */
export async function lockRole(tx: Tx, name: string): Promise<string[] | null> {
  const row = await tx
    .selectFrom('roles')
    .select('permissions')
    .where('name', '=', name)
    // Not stronger: whoever is given the role meanwhile refers to its key, and need not wait.
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row?.permissions ?? null;
}

export async function listRoles(db: Db): Promise<Role[]> {
  const rows = await db.selectFrom('roles').selectAll().orderBy('name').execute();
  return rows.map(({ name, permissions }) => ({ name, permissions: [...permissionsOf(name, permissions)] }));
}

/** @returns whether it is a new one */
export async function upsertRole(db: Db, { name, permissions }: Role): Promise<boolean> {
  const { rows } = await sql<{ created: boolean }>`
    insert into roles (name, permissions) values (${name}, ${permissions}::text[])
    on conflict (name) do update set permissions = excluded.permissions
    -- Zero in a row that was inserted, and not updated.
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
