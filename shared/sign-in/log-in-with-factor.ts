import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { digestOf } from '../factors/challenge';
import { type Challenge, findChallenge, takeChallenge } from '../factors/challenge-store';
import { proveFactor } from '../factors/prove-factor';
import { PASSKEY_METHODS, provePasskey } from '../passkeys/prove-passkey';
import { isKnownPlace } from '../passwords/check-login';
import { findForLogin, type LoginRecord } from '../passwords/password-store';
import { addressBlock } from '../rate-limits/address-block';
import type { AuthenticationMethod } from '../sessions/proof';
import { hashToken } from '../tokens/opaque-token';
import type { SentFactor } from './fields';
import { type SignedIn, signIn } from './sign-in';

/**
 * The second step of a login: a code or a passkey, with the token that the first one was answered with. A wrong one leaves
 * the token valid.
 * @throws DomainError `invalid_token` if the token was used, has expired, or the password was changed since;
 * `invalid_code`, `rate_limited` or `unavailable`, as `proveFactor` does; `invalid_assertion`; `user_suspended`
 */
export async function logInWithFactor(
  ctx: Context,
  factorToken: string,
  sent: SentFactor,
  origin: Origin,
): Promise<SignedIn> {
  const hash = hashToken(factorToken);
  const pending = await findPending(ctx, hash);
  ctx.log.bind({ userId: pending.user.id });
  const proven = await prove(ctx, pending, sent, origin);
  const open = ({ user, rolePermissions, challenge }: Pending) => {
    const amr = [...new Set([...challenge.amr, ...proven.amr])];
    const onSignIn = async (tx: Tx) => {
      if (!(await takeChallenge(tx, hash))) throw new DomainError('invalid_token');
      await proven.use(tx);
    };
    return signIn(ctx, { user, rolePermissions, at: ctx.now(), amr, onSignIn }, origin);
  };
  // The second time, because the user was changed between check and lock.
  const signedIn = (await open(pending)) ?? (await open(await findPending(ctx, hash)));
  if (!signedIn) throw new DomainError('invalid_token');
  return signedIn;
}

/** A login that waits for its second step, and its user as of now. */
interface Pending extends LoginRecord {
  challenge: Challenge;
}

async function findPending(ctx: Context, hash: Buffer): Promise<Pending> {
  const challenge = await findChallenge(ctx.db, hash, ctx.now());
  const found = challenge && (await findForLogin(ctx.db, { id: challenge.userId }));
  if (!found || !digestOf(found.hash).equals(challenge.passwordDigest))
    throw new DomainError('invalid_token');
  return { ...found, challenge };
}

interface Proven {
  amr: readonly AuthenticationMethod[];
  /** Uses up what was sent, in the transaction that opens the session. */
  use(tx: Tx): Promise<void>;
}

async function prove(ctx: Context, pending: Pending, sent: SentFactor, origin: Origin): Promise<Proven> {
  const { id: userId } = pending.user;
  if (sent.type === 'passkey') {
    const { use } = await provePasskey(ctx, sent.assertion, userId, origin);
    return { amr: PASSKEY_METHODS, use };
  }
  const block = addressBlock(origin.address);
  const proving = {
    userId,
    passwordHash: pending.hash,
    place: { block },
    isKnownPlace: isKnownPlace(pending, block),
  };
  return { amr: ['otp', 'mfa'], use: await proveFactor(ctx, proving, sent, origin) };
}
