import { DomainError } from '../errors';
import type { Permission } from './permissions';

export interface Role {
  name: string;
  permissions: Permission[];
}

export function unknownRole(): DomainError {
  return new DomainError('invalid_request', { errors: [{ path: 'role', message: 'is not a known role' }] });
}
