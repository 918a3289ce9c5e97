export const PERMISSIONS = [
  'users:read',
  'users:write',
  'roles:read',
  'roles:write',
  'events:read',
  'events:write',
  'audit:read',
  'analytics:read',
  'webhooks:read',
  'webhooks:write',
  'erasures:read',
  'erasures:write',
] as const;

/** Their permissions are fixed in code; their rows exist for the foreign key of `users.role`. */
export const BUILT_IN_ROLES: readonly string[] = ['user', 'admin'];

export type Permission = (typeof PERMISSIONS)[number];

/** A role's permissions. The built-in `admin` has all of them, including those that later versions add. */
export function permissionsOf(role: string, stored: readonly string[]): ReadonlySet<Permission> {
  if (role === 'admin') return new Set(PERMISSIONS);
  return new Set(PERMISSIONS.filter((permission) => stored.includes(permission)));
}

/** A set of permissions as part of an entity tag: a role's permissions change without the version of its users. */
export function permissionTag(permissions: ReadonlySet<Permission>): string {
  const bits = PERMISSIONS.map((permission) => (permissions.has(permission) ? '1' : '0')).join('');
  return permissions.size === 0 ? '' : `.${Number.parseInt(bits, 2).toString(16)}`;
}
