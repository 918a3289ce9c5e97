import { useCan } from '../me';
import type { RoleList } from '../types';
import { useQuery } from '../use-query';

/** The names of all roles, as far as the caller may see them. */
export function useRoles(): string[] {
  const can = useCan();
  return useQuery<RoleList>(can('roles:read') ? 'roles' : null).data?.roles.map(({ name }) => name) ?? [];
}
