import type { Db } from '../db/connection';
import { DomainError } from '../errors';
import { type Permission, permissionsOf } from './permissions';
import { unknownRole } from './role';
import { findRolePermissions } from './role-store';

/**
 * Nobody hands out a permission that they lack themselves, nor any role without `roles:write` but `user`, which everybody
 * gets who registers.
 * @returns the permissions stored with the role
 * @throws DomainError `invalid_request` for an unknown role, `forbidden` for one that exceeds the caller's
 */
export async function assertMayGrantRole(
  db: Db,
  role: string,
  granting: ReadonlySet<Permission>,
): Promise<string[]> {
  if (role !== 'user' && !granting.has('roles:write'))
    throw new DomainError('forbidden', { detail: 'This needs the permission roles:write' });
  const stored = await findRolePermissions(db, role);
  if (stored === null) throw unknownRole();
  assertHolds(granting, permissionsOf(role, stored));
  return stored;
}

/** @throws DomainError `forbidden` naming what the caller lacks */
export function assertHolds(holding: ReadonlySet<Permission>, wanted: ReadonlySet<Permission>): void {
  const lacking = [...wanted].filter((permission) => !holding.has(permission));
  if (lacking.length > 0) {
    throw new DomainError('forbidden', {
      detail: `The role holds permissions that you lack: ${lacking.join(', ')}`,
    });
  }
}
