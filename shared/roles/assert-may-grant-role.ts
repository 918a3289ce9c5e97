import type { Db } from '../db/connection';
import { DomainError } from '../errors';
import { type Permission, permissionsOf } from './permissions';
import { unknownRole } from './role';
import { findRolePermissions } from './role-store';

/**
 * Callers may grant a role only if they have `roles:write` and all of the role's permissions. Everybody may grant `user`,
 * which every registered user gets.
 * @returns the permissions stored with the role
 * @throws DomainError `invalid_request` for an unknown role, `forbidden` for one that exceeds the caller's permissions
 */
export async function assertMayGrantRole(
  db: Db,
  role: string,
  granting: ReadonlySet<Permission>,
): Promise<string[]> {
  if (role !== 'user' && !granting.has('roles:write'))
    throw new DomainError('forbidden', { detail: 'Requires the permission roles:write' });
  const stored = await findRolePermissions(db, role);
  if (stored === null) throw unknownRole();
  assertHolds(granting, permissionsOf(role, stored));
  return stored;
}

/** @throws DomainError `forbidden` naming the missing permissions */
export function assertHolds(holding: ReadonlySet<Permission>, wanted: ReadonlySet<Permission>): void {
  const lacking = [...wanted].filter((permission) => !holding.has(permission));
  if (lacking.length > 0) {
    throw new DomainError('forbidden', {
      detail: `The role has permissions that you do not have: ${lacking.join(', ')}`,
    });
  }
}
