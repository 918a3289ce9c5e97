import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import type { AuthenticationResponse } from '../passkeys/fields';
import { PASSKEY_METHODS, type PasskeyProof, provePasskey } from '../passkeys/prove-passkey';
import { findForLogin } from '../passwords/password-store';
import { type SignedIn, signIn } from './sign-in';

/**
 * Verifies an assertion of a passkey and opens a session. The passkey says who the user is, and is two factors.
 * @throws DomainError `invalid_assertion` or `user_suspended`
 */
export async function logInWithPasskey(
  ctx: Context,
  assertion: AuthenticationResponse,
  origin: Origin,
): Promise<SignedIn> {
  const proven = await provePasskey(ctx, assertion, null, origin);
  ctx.log.bind({ userId: proven.userId });
  // The second time, because the user was changed between lookup and lock.
  const signedIn = (await open(ctx, proven, origin)) ?? (await open(ctx, proven, origin));
  if (!signedIn) throw new DomainError('invalid_assertion');
  return signedIn;
}

async function open(ctx: Context, { userId, use }: PasskeyProof, origin: Origin): Promise<SignedIn | null> {
  const found = await findForLogin(ctx.db, { id: userId });
  if (!found) return null;
  const { user, rolePermissions } = found;
  return signIn(ctx, { user, rolePermissions, at: ctx.now(), amr: PASSKEY_METHODS, onSignIn: use }, origin);
}
