import { recordFailedSignIn } from '../audit/record-sign-in';
import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { countGuess, guessedName, uncountGuess } from '../passwords/count-guess';
import { checkCode } from './check-code';
import type { FactorCode } from './fields';

/** Whose code it is, and where it comes from. */
export interface Proving {
  userId: string;
  /** The hash of the user's password, null without one: a new password resets the count of wrong codes. */
  passwordHash: string | null;
  place: { block: string } | { sessionOf: string };
  /** Whether codes from this place are checked although others have used up the user's limit. */
  isKnownPlace: boolean;
}

/**
 * Checks a code. Wrong ones are counted as wrong passwords are, before they are compared: concurrent guesses cannot exceed
 * the limit, and a stranger who knows the password locks out no known place.
 * @returns how to use the code up: throws `invalid_code` if that has happened meanwhile
 * @throws DomainError `invalid_code`, `rate_limited`, or `unavailable` without the key that sealed the secret
 */
export async function proveFactor(
  ctx: Context,
  { userId, passwordHash, place, isKnownPlace }: Proving,
  code: FactorCode,
  origin: Origin,
): Promise<(tx: Tx) => Promise<void>> {
  const guessed = { factorsOf: userId };
  const guess = await countGuess(ctx, guessed, passwordHash, place);
  if (guess.rejection && !(guess.allowedFromKnownPlace && isKnownPlace)) throw guess.rejection;
  const use = await checkCode(ctx, userId, code, origin);
  if (!use) {
    const name = guessedName(guessed);
    await recordFailedSignIn(ctx, { name, userId, method: 'factor', reason: 'wrong_code' }, origin);
    throw new DomainError('invalid_code');
  }
  return async (tx) => {
    if (!(await use(tx))) throw new DomainError('invalid_code');
    await uncountGuess(tx, ctx, guess);
  };
}
