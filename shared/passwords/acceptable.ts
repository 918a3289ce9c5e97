import type { PlainContext } from '../context/plain-context';
import { DomainError } from '../errors';
import { isBreached } from './breached';
import { fitsBcrypt, MAX_BCRYPT_BYTES, preparePassword } from './hash';

/**
 * Checks of a new password that depend on the configuration; `NewPassword` has the others.
 * @returns what is wrong with it, or null
 */
export async function findProblem(ctx: PlainContext, password: string): Promise<string | null> {
  const { algorithm } = ctx.config.passwords;
  if (algorithm === 'bcrypt' && !fitsBcrypt(preparePassword(password)))
    return `must be at most ${MAX_BCRYPT_BYTES} bytes of UTF-8`;
  return (await isBreached(ctx, password)) ? 'must not be a password from a known data breach' : null;
}

/** @param path the field with the password. @throws DomainError `invalid_request` if there is a problem with it */
export async function assertAcceptable(ctx: PlainContext, path: string, password: string): Promise<void> {
  const message = await findProblem(ctx, password);
  if (message !== null) throw new DomainError('invalid_request', { errors: [{ path, message }] });
}
