import type { Permission } from './permissions';

/** A name, and what its users may do. */
export interface Role {
  name: string;
  permissions: Permission[];
}
