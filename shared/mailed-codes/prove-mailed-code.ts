import { recordFailedSignIn } from '../audit/record-sign-in';
import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { countGuess, guessedName, uncountGuess } from '../passwords/count-guess';
import { hashToken } from '../tokens/opaque-token';
import type { User } from '../users/user';
import type { MailedCode } from './fields';
import { hashAddress, isCode } from './mailed-code';
import { takeCodeRequest, takeTry } from './mailed-code-store';

/** Wrong codes per request. */
const MAX_TRIES = 5;

export interface Found {
  user: User;
  /** Whether codes from this place are checked although others have used up the address's limit. */
  isKnownPlace: boolean;
}

/** Where a code is sent from, and who it may be from. */
export interface Trying<F extends Found> {
  place: { block: string } | { sessionOf: string };
  /** The user of the request, as of now. */
  find(userId: string | null): Promise<F | null>;
}

/** A right code, which is not used up yet. */
export interface MailedCodeProof<F extends Found> {
  found: F;
  /** @throws DomainError `invalid_token` if the code was mailed to another address than this user's */
  assertMailedTo(user: User): void;
  /** Uses the code up, in the transaction of what it is for. @throws DomainError `invalid_token` if it was used meanwhile */
  use(tx: Tx): Promise<void>;
}

/**
 * Checks a mailed code. Requests for addresses that no user has get the same responses in the same time as those whose code
 * was mailed: a code that is wrong five times. Wrong codes are limited in two ways: per request, and per address as wrong
 * passwords are, whether a user has it or not. Writes failures to the audit log.
 * @throws DomainError `invalid_token` for a request that was used, has expired, was tried too often, never was, is of
 * another user than the session, or for an address that is no longer the user's; `invalid_code`; `rate_limited`
 */
export async function proveMailedCode<F extends Found>(
  ctx: Context,
  { emailToken, code }: MailedCode,
  { place, find }: Trying<F>,
  origin: Origin,
): Promise<MailedCodeProof<F>> {
  const tokenHash = hashToken(emailToken);
  const tried = await takeTry(ctx.db, tokenHash, MAX_TRIES, ctx.now());
  // In a session, the codes of others would be guesses beyond the limit of their addresses.
  if (!tried || ('sessionOf' in place && tried.userId !== place.sessionOf))
    throw new DomainError('invalid_token');
  const guessed = { mailedCodesTo: tried.addressHash.toString('hex') };
  // A new password does not reset this count: it says nothing of the mailbox.
  const guess = await countGuess(ctx, guessed, null, place);
  const found = await find(tried.userId);
  const mayTry = guess.rejection === null || (guess.allowedFromKnownPlace && found?.isKnownPlace);
  // Compared in any case, so that the time does not tell whether there was something to compare with.
  const isRight = isCode(ctx, tokenHash, code) && tried.isMailed && mayTry;
  if (!isRight || !found) {
    const reason = guess.rejection ? 'slowed' : 'wrong_code';
    const name = guessedName(guessed);
    const userId = found?.user.id ?? null;
    await recordFailedSignIn(ctx, { name, userId, method: 'mailed_code', reason }, origin);
    throw guess.rejection ?? new DomainError('invalid_code');
  }
  const proof = {
    found,
    assertMailedTo: ({ email }: User) => {
      const isSame = email !== null && hashAddress(ctx, email).equals(tried.addressHash);
      if (!isSame) throw new DomainError('invalid_token');
    },
    use: async (tx: Tx) => {
      if (!(await takeCodeRequest(tx, tokenHash))) throw new DomainError('invalid_token');
      await uncountGuess(tx, ctx, guess);
    },
  };
  proof.assertMailedTo(found.user);
  return proof;
}
