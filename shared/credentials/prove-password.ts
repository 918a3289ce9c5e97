import { recordFailedSignIn } from '../audit/record-sign-in';
import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { countGuess, giveBackGuess, guessedName } from './count-guess';
import { verifyPassword } from './hash';
import { findCredentials } from './password-store';

/**
 * Checks the password of a user who is logged in. A stolen access token must not be a way to guess it: the guesses are
 * failed logins and counted with those. While others have the logins slowed down, whoever is logged in goes on.
 * @returns the hash that was checked: a change that relies on it has to see whether it is still the user's
 * @throws DomainError `invalid_credentials`, or `rate_limited` after too many wrong ones
 */
export async function provePassword(
  ctx: Context,
  userId: string,
  password: string,
  origin: Origin,
): Promise<string> {
  const found = await findCredentials(ctx.db, userId);
  if (!found) throw new DomainError('invalid_credentials');
  const { username, passwordHash } = found;
  const guess = await countGuess(ctx, { username }, passwordHash, { sessionOf: userId });
  // No entry of its own: without a hash to compute, whoever holds a token could write as many as they like.
  if (guess.slowed && !guess.allowedWhereKnown) throw guess.slowed;
  // No more than the hash itself costs: that there is this user is no secret to them.
  const match = await verifyPassword(password, passwordHash, 0);
  if (match === null) {
    const name = guessedName({ username });
    await recordFailedSignIn(ctx, { name, userId, method: 'proof', reason: 'wrong_password' }, origin);
    throw new DomainError('invalid_credentials');
  }
  await giveBackGuess(ctx.db, ctx, guess);
  return passwordHash;
}
