import { DomainError, type ErrorCode } from '../errors';

/** A registration or an authentication that must fail (WebAuthn level 3, sections 7.1 and 7.2). The message is public. */
export class CeremonyError extends Error {
  override readonly name = 'CeremonyError';
}

/** Runs the checks of a ceremony. @throws DomainError with the code, for a `CeremonyError` */
export function checked<T>(code: ErrorCode, checks: () => T): T {
  try {
    return checks();
  } catch (error) {
    if (error instanceof CeremonyError) throw new DomainError(code, { detail: error.message });
    throw error;
  }
}
