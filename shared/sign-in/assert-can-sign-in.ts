import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import { DomainError } from '../errors';
import { hasSignInMethod } from './sign-in-method-store';

/**
 * Called after a way to sign in was removed, in the same transaction.
 * @throws DomainError `last_sign_in_method` if the user, whom the caller has locked, has none left
 */
export async function assertCanSignIn(tx: Tx, { config }: Context, userId: string): Promise<void> {
  if (!(await hasSignInMethod(tx, userId, config.hasEmailLogin)))
    throw new DomainError('last_sign_in_method');
}
