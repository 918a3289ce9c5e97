import { isDeepStrictEqual } from 'node:util';
import * as v from 'valibot';
import { recordAdminAction } from '../audit/record-admin-action';
import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { assertHolds } from './assert-may-grant-role';
import { BUILT_IN_ROLES, PERMISSIONS, type Permission, permissionsOf } from './permissions';
import type { Role } from './role';
import { lockRole, upsertRole } from './role-store';

const RoleName = v.pipe(v.string(), v.regex(/^[a-z][a-z0-9_-]{0,31}$/));

/**
 * Creates a role or replaces its permissions. Neither the new nor the old permissions may exceed the caller's: otherwise
 * callers could grant permissions that they do not have, or take some from users whom they may not change.
 * @param granting the caller's permissions
 * @throws DomainError `built_in_role`, `forbidden`, or `invalid_request` for an invalid name
 */
export async function putRole(
  ctx: Context,
  granting: ReadonlySet<Permission>,
  name: string,
  permissions: Permission[],
  origin: Origin,
): Promise<{ role: Role; created: boolean }> {
  if (BUILT_IN_ROLES.includes(name)) throw new DomainError('built_in_role');
  if (!v.is(RoleName, name)) {
    const message = 'must be 1 to 32 lower-case letters, digits, "_" or "-", and start with a letter';
    throw new DomainError('invalid_request', { errors: [{ path: 'name', message }] });
  }
  // Without duplicates and in a fixed order.
  const role = { name, permissions: PERMISSIONS.filter((permission) => permissions.includes(permission)) };
  const created = await ctx.db.transaction().execute(async (tx) => {
    const before = await lockRole(tx, name);
    assertHolds(granting, new Set([...permissions, ...permissionsOf(name, before ?? [])]));
    const had = before && [...permissionsOf(name, before)];
    if (isDeepStrictEqual(had, role.permissions)) return false;
    await recordAdminAction(tx, ctx, origin, {
      type: had ? 'role.changed' : 'role.created',
      details: { name, before: had && { permissions: had }, after: { permissions: role.permissions } },
    });
    return upsertRole(tx, role);
  });
  return { role, created };
}
