import { DomainError } from '../errors';
import type { Permission } from './permissions';

export interface Role {
  name: string;
  permissions: Permission[];
  /** Whether its users need a second factor. */
  requiresFactor: boolean;
}

export function unknownRole(): DomainError {
  return new DomainError('invalid_request', { errors: [{ path: 'role', message: 'is not a known role' }] });
}
