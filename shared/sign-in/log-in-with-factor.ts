import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { digestOf } from '../factors/challenge';
import { findChallenge, takeChallenge } from '../factors/challenge-store';
import type { FactorCode } from '../factors/fields';
import { proveFactor } from '../factors/prove-factor';
import { isKnownPlace } from '../passwords/check-login';
import { findForLogin } from '../passwords/password-store';
import { addressBlock } from '../rate-limits/address-block';
import { hashToken } from '../tokens/opaque-token';
import { type SignedIn, signIn } from './sign-in';

/**
 * The second step of a login: a code, with the token that the first one was answered with. A wrong code leaves the
 * token valid.
 * @throws DomainError `invalid_token` if the token was used, has expired, or the password was changed since;
 * `invalid_code`, `rate_limited` or `unavailable`, as `proveFactor` does
 */
export async function logInWithFactor(
  ctx: Context,
  factorToken: string,
  code: FactorCode,
  origin: Origin,
): Promise<SignedIn> {
  const hash = hashToken(factorToken);
  // The second time, because the user was changed between check and lock.
  const signedIn = (await attempt(ctx, hash, code, origin)) ?? (await attempt(ctx, hash, code, origin));
  if (!signedIn) throw new DomainError('invalid_token');
  return signedIn;
}

async function attempt(
  ctx: Context,
  hash: Buffer,
  code: FactorCode,
  origin: Origin,
): Promise<SignedIn | null> {
  const challenge = await findChallenge(ctx.db, hash, ctx.now());
  const found = challenge && (await findForLogin(ctx.db, { id: challenge.userId }));
  if (!found || !digestOf(found.hash).equals(challenge.passwordDigest))
    throw new DomainError('invalid_token');
  const { user, rolePermissions } = found;
  ctx.log.bind({ userId: user.id });

  const block = addressBlock(origin.address);
  const proving = {
    userId: user.id,
    passwordHash: found.hash,
    place: { block },
    isKnownPlace: isKnownPlace(found, block),
  };
  const use = await proveFactor(ctx, proving, code, origin);
  const proof = {
    user,
    rolePermissions,
    at: ctx.now(),
    amr: [...new Set([...challenge.amr, 'otp', 'mfa'] as const)],
    onSignIn: async (tx: Tx) => {
      if (!(await takeChallenge(tx, hash))) throw new DomainError('invalid_token');
      await use(tx);
    },
  };
  return signIn(ctx, proof, origin);
}
