import { recordFailedSignIn } from '../audit/record-sign-in';
import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import type { Proof } from '../sessions/proof';
import { countGuess, giveBackGuess, guessedName } from './count-guess';
import { verifyPassword } from './hash';
import { findPassword } from './password-store';

/** That a user who is logged in knows their password. A change that relies on it asks whether it still holds. */
export interface PasswordProof extends Proof {
  readonly userId: string;
  readonly hash: string;
}

/**
 * Checks the password of a user who is logged in. A stolen access token must not be a way to guess it: the guesses are
 * failed logins and counted with those. While others have the logins slowed down, whoever is logged in goes on.
 * @throws DomainError `invalid_credentials`, or `rate_limited` after too many wrong ones
 */
export async function provePassword(
  ctx: Context,
  userId: string,
  password: string,
  origin: Origin,
): Promise<PasswordProof> {
  const found = await findPassword(ctx.db, userId);
  if (!found) throw new DomainError('invalid_credentials');
  const { username, hash } = found;
  const guess = await countGuess(ctx, { username }, hash, { sessionOf: userId });
  // No entry of its own: without a hash to compute, whoever holds a token could write as many as they like.
  if (guess.slowed && !guess.allowedWhereKnown) throw guess.slowed;
  // No more than the hash itself costs: that there is this user is no secret to them.
  const match = await verifyPassword(password, hash, 0);
  if (match === null) {
    const name = guessedName({ username });
    await recordFailedSignIn(ctx, { name, userId, method: 'proof', reason: 'wrong_password' }, origin);
    throw new DomainError('invalid_credentials');
  }
  await giveBackGuess(ctx.db, ctx, guess);
  return { at: ctx.now(), amr: ['pwd'], userId, hash };
}

/** Whether the password that was proven is still the user's, whom the caller has locked meanwhile. */
export async function isStillPassword(tx: Tx, { userId, hash }: PasswordProof): Promise<boolean> {
  return (await findPassword(tx, userId))?.hash === hash;
}
