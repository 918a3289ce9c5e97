import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { challengeFactor } from '../factors/challenge';
import { checkLogin, type PasswordLoginProof } from '../passwords/check-login';
import type { LoginName } from '../passwords/password-store';
import { type SignedIn, signIn } from './sign-in';

/**
 * Checks a password and opens a session.
 * @throws DomainError `invalid_credentials` or `rate_limited`, as `checkLogin` does; `second_factor_required` if the password
 * is right and the user has a second factor
 */
export async function logIn(
  ctx: Context,
  name: LoginName,
  password: string,
  origin: Origin,
): Promise<SignedIn> {
  const checked = await checkLogin(ctx, name, password, origin);
  const open = async (proof: PasswordLoginProof) => {
    if (proof.factors.length > 0) throw await challengeFactor(ctx, proof);
    return signIn(ctx, proof, origin);
  };
  const signedIn = (await open(checked.proof)) ?? (await open(await checked.recheck()));
  if (!signedIn) throw new DomainError('invalid_credentials');
  return signedIn;
}
