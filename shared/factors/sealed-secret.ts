import type { Context } from '../context/context';
import { DomainError } from '../errors';
import { type Opened, open, seal } from '../seal';

/** Seals a secret for its factor. @throws DomainError `unavailable` without `ENCRYPTION_KEYS` */
export function sealSecret({ config }: Context, secret: Buffer, factorId: string): Buffer {
  const { encryptionKeys } = config.factors;
  if (encryptionKeys.length === 0) throw unavailable(new Error('ENCRYPTION_KEYS is missing'));
  return seal(encryptionKeys, secret, factorId);
}

/** @throws DomainError `unavailable` if `ENCRYPTION_KEYS` lacks the key, or the row was altered */
export function openSecret({ config }: Context, secret: Buffer, factorId: string): Opened {
  try {
    return open(config.factors.encryptionKeys, secret, factorId);
  } catch (error) {
    throw unavailable(error);
  }
}

/** The cause is logged; it names the variable. */
function unavailable(cause: unknown): DomainError {
  const detail = 'Authenticator apps cannot be used: this service is not configured for them';
  return new DomainError('unavailable', { detail, headers: { 'retry-after': '60' } }, { cause });
}
