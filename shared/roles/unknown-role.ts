import { DomainError } from '../errors';

export function unknownRole(): DomainError {
  return new DomainError('invalid_request', { errors: [{ path: 'role', message: 'is not a known role' }] });
}
