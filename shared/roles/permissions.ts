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
] as const;

/** Fixed here; their rows are there for `users.role` to refer to. */
export const BUILT_IN_ROLES: readonly string[] = ['user', 'admin'];

export type Permission = (typeof PERMISSIONS)[number];

/** What a role may do. The built-in `admin` may do everything, also what a later version adds. */
export function permissionsOf(role: string, stored: readonly string[]): ReadonlySet<Permission> {
  if (role === 'admin') return new Set(PERMISSIONS);
  return new Set(PERMISSIONS.filter((permission) => stored.includes(permission)));
}
