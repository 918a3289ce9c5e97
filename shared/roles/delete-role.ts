import { recordAdminAction } from '../audit/record-admin-action';
import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { assertHolds } from './assert-may-grant-role';
import { BUILT_IN_ROLES, type Permission, permissionsOf } from './permissions';
import { deleteRoleRow, lockRole } from './role-store';

/**
 * @param granting the caller's permissions
 * @throws DomainError `not_found`, `built_in_role`, `role_in_use`, or `forbidden` if the role exceeds the caller's
 */
export async function deleteRole(
  ctx: Context,
  granting: ReadonlySet<Permission>,
  name: string,
  origin: Origin,
): Promise<void> {
  if (BUILT_IN_ROLES.includes(name)) throw new DomainError('built_in_role');
  await ctx.db.transaction().execute(async (tx) => {
    const stored = await lockRole(tx, name);
    if (stored === null) throw new DomainError('not_found', { detail: 'Role not found' });
    const permissions = permissionsOf(name, stored.permissions);
    assertHolds(granting, permissions);
    await deleteRoleRow(tx, name);
    await recordAdminAction(tx, ctx, origin, {
      type: 'role.deleted',
      details: {
        name,
        before: { permissions: [...permissions], requiresFactor: stored.requiresFactor },
        after: null,
      },
    });
  });
}
