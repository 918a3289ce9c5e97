import type { Context } from '../context/context';
import { assertHolds } from '../roles/assert-may-grant-role';
import { PERMISSIONS, type Permission, permissionsOf } from '../roles/permissions';
import { findRolePermissions } from '../roles/role-store';
import { getUser } from './get-user';
import type { User } from './user';

interface Caller {
  user: User;
  permissions: ReadonlySet<Permission>;
}

/**
 * Callers may act for a user only if they have all permissions of that user's role. Otherwise a caller with `users:write`
 * could become an administrator by changing an administrator's password or email address.
 * @throws DomainError `forbidden`
 */
export async function assertMayActFor(
  ctx: Context,
  caller: Caller,
  target: { id: string; role: string },
): Promise<void> {
  if (target.id === caller.user.id) return;
  // No role exceeds a caller with all permissions.
  if (PERMISSIONS.every((permission) => caller.permissions.has(permission))) return;
  const stored = (await findRolePermissions(ctx.db, target.role)) ?? [];
  assertHolds(caller.permissions, permissionsOf(target.role, stored));
}

/** The user whom the caller acts for. @throws DomainError `not_found`, or `forbidden` as `assertMayActFor` does */
export async function getUserToActFor(ctx: Context, caller: Caller, id: string): Promise<User> {
  if (id === caller.user.id) return caller.user;
  const user = await getUser(ctx, id);
  await assertMayActFor(ctx, caller, user);
  return user;
}
