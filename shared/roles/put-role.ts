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
 * @param requiresFactor if omitted, it stays as it is, and false for a new role: a client that does not know it must not
 * switch it off
 * @throws DomainError `built_in_role` for anything but `requiresFactor` of one, `forbidden`, or `invalid_request` for an
 * invalid name
 */
export async function putRole(
  ctx: Context,
  granting: ReadonlySet<Permission>,
  name: string,
  { permissions, requiresFactor }: { permissions: Permission[]; requiresFactor?: boolean | undefined },
  origin: Origin,
): Promise<{ role: Role; created: boolean }> {
  if (!v.is(RoleName, name)) {
    const message = 'must be 1 to 32 lower-case letters, digits, "_" or "-", and start with a letter';
    throw new DomainError('invalid_request', { errors: [{ path: 'name', message }] });
  }
  // Without duplicates and in a fixed order.
  const wanted = PERMISSIONS.filter((permission) => permissions.includes(permission));
  return ctx.db.transaction().execute(async (tx) => {
    const stored = await lockRole(tx, name);
    const before = stored && { ...stored, permissions: [...permissionsOf(name, stored.permissions)] };
    const changesFactorOnly = requiresFactor !== undefined && isDeepStrictEqual(before?.permissions, wanted);
    if (BUILT_IN_ROLES.includes(name) && !changesFactorOnly) {
      const detail =
        'The permissions of this role are fixed. To change requiresFactor, send the permissions that it has';
      throw new DomainError('built_in_role', { detail });
    }
    assertHolds(granting, new Set([...permissions, ...(before?.permissions ?? [])]));
    const after = { permissions: wanted, requiresFactor: requiresFactor ?? before?.requiresFactor ?? false };
    const role = { name, ...after };
    if (isDeepStrictEqual(before, after)) return { role, created: false };
    await recordAdminAction(tx, ctx, origin, {
      type: before ? 'role.changed' : 'role.created',
      details: { name, before, after },
    });
    return { role, created: await upsertRole(tx, role) };
  });
}
