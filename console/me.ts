import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Me, Permission } from './types';

export const MeContext = createContext<Me | null>(null);

/** @returns whether the user has a permission. What it does not allow is not offered; the API refuses it in any case. */
export function useCan(): (permission: Permission) => boolean {
  const me = useContext(MeContext);
  return (permission) => me?.permissions.includes(permission) ?? false;
}
