import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { checkLogin } from '../passwords/check-login';
import type { LoginName } from '../passwords/password-store';
import { type SignedIn, signInWithFirstFactor } from './sign-in';

/**
 * Checks a password and opens a session.
 * @throws DomainError `invalid_credentials` or `rate_limited`, as `checkLogin` does; `second_factor_required` if the password
 * is right and the user has a second factor; `user_suspended`
 */
export async function logIn(
  ctx: Context,
  name: LoginName,
  password: string,
  origin: Origin,
): Promise<SignedIn> {
  const checked = await checkLogin(ctx, name, password, origin);
  const signedIn =
    (await signInWithFirstFactor(ctx, checked.proof, origin)) ??
    (await signInWithFirstFactor(ctx, await checked.recheck(), origin));
  if (!signedIn) throw new DomainError('invalid_credentials');
  return signedIn;
}
