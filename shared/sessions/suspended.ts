import { DomainError } from '../errors';
import type { Suspension } from '../users/suspension';

/** The error for suspended users who have proven who they are. Nobody else may get it. */
export function suspended({ until }: Suspension): DomainError {
  return new DomainError('user_suspended', {
    detail: until === null ? 'This account is suspended' : `This account is suspended until ${until}`,
    members: { until },
  });
}
