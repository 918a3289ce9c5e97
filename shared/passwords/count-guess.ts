import { foldCase } from '../characters';
import type { Context } from '../context/context';
import type { Db } from '../db/connection';
import type { DomainError } from '../errors';
import { consumeLimits, type Use, uncountUses } from '../rate-limits/limit-rate';
import { addressKey } from '../users/email-address';
import type { LoginName } from './password-store';

// The limit on guesses of passwords and codes, for all endpoints: docs/security.md, "Failed logins".

/** What a guess is at: the password behind a name, a code of a user's second factors, or one mailed to an address (its hash). */
export type Guessed = LoginName | { factorsOf: string } | { mailedCodesTo: string };

/** A counted guess. */
export interface Guess {
  /** The counted uses, which a correct guess gets back. */
  uses: Use[];
  /** After too many wrong guesses: the error for a wrong guess, and for any guess from an unknown place. */
  rejection: DomainError | null;
  /** Whether a guess from a known place is checked despite the rejection. */
  allowedFromKnownPlace: boolean;
}

/**
 * Counts a guess before it is checked, so that concurrent guesses cannot exceed the limit. Counts by the given name
 * instead of the user: otherwise a shared limit would reveal which address belongs to which username. Unknown names are
 * counted too and get the same responses.
 * @param hash the hash of the user's password, null if there is none; a new password resets the count
 * @param place the source of the guess: an address block, or a session of this user
 */
export async function countGuess(
  ctx: Context,
  name: Guessed,
  hash: string | null,
  place: { block: string } | { sessionOf: string },
): Promise<Guess> {
  const subject = guessedName(name);
  // Within a session the user may change their username; that must not reset the count.
  const where = 'block' in place ? `${subject} at ${place.block}` : `session of ${place.sessionOf}`;
  const ofPlace = usesOf(`${where} ${hash}`);
  const ofName = usesOf(`${subject} ${hash}`);
  const exceeded = await consumeLimits(ctx, [...ofPlace, ...ofName]);
  if (exceeded === null)
    return { uses: [...ofPlace, ...ofName], rejection: null, allowedFromKnownPlace: true };
  const allowedFromKnownPlace = exceeded.index >= ofPlace.length;
  return { uses: ofPlace, rejection: exceeded.error, allowedFromKnownPlace };
}

/** The normalized name by which guesses are counted. */
export function guessedName(name: Guessed): string {
  if ('factorsOf' in name) return `factors of ${name.factorsOf}`;
  if ('mailedCodesTo' in name) return `mailed codes to ${name.mailedCodesTo}`;
  return 'email' in name ? `email ${addressKey(name.email)}` : `username ${foldCase(name.username.trim())}`;
}

/** Takes a correct guess back from the count. */
export async function uncountGuess(db: Db, ctx: Context, guess: Guess): Promise<void> {
  await uncountUses(db, ctx, guess.uses);
}

function usesOf(subject: string): Use[] {
  return [
    { limit: 'loginAccount', subject },
    { limit: 'loginAccountDay', subject },
  ];
}
