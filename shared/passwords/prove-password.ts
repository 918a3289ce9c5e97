import { recordFailedSignIn } from '../audit/record-sign-in';
import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import type { Proof } from '../sessions/proof';
import { countGuess, guessedName, uncountGuess } from './count-guess';
import { findPassword } from './password-store';
import { NO_COST, verifyPassword } from './verify';

/** Proof that a logged-in user knows their password. */
export interface PasswordProof extends Proof {
  readonly userId: string;
  readonly hash: string;
}

/**
 * Checks the password of a logged-in user. Wrong guesses count as failed logins, so that a stolen access token does not
 * allow more guesses. Failed logins of others do not block users who are logged in.
 * @throws DomainError `invalid_credentials`, or `rate_limited` after too many wrong passwords
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
  // No audit entry: without the cost of a hash, the holder of a token could write any number of them.
  if (guess.rejection && !guess.allowedFromKnownPlace) throw guess.rejection;
  // At no further cost: the caller already knows that the user exists.
  const match = await verifyPassword(password, hash, NO_COST);
  if (match === null) {
    const name = guessedName({ username });
    await recordFailedSignIn(ctx, { name, userId, method: 'proof', reason: 'wrong_password' }, origin);
    throw new DomainError('invalid_credentials');
  }
  await uncountGuess(ctx.db, ctx, guess);
  return { at: ctx.now(), amr: ['pwd'], userId, hash };
}
