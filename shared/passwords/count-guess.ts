import { foldCase } from '../characters';
import type { Context } from '../context/context';
import type { Db } from '../db/connection';
import type { DomainError } from '../errors';
import { giveBackUse, refuseUse, type Use } from '../rate-limits/limit-rate';
import { addressKey } from '../users/email-address';
import type { LoginName } from './password-store';

// The one rule for guesses at a password, wherever they are made: docs/security.md, "Failed logins".

/** A guess that has been counted. */
export interface Guess {
  /** What it was counted as, to be given back where it was right. */
  uses: Use[];
  /** After too many wrong ones: the answer to a guess that is wrong, and to any from a place that is not known. */
  slowed: DomainError | null;
  /** Whether one from a place that the user is known at is looked at all the same. */
  allowedWhereKnown: boolean;
}

/**
 * Counts a guess before it is looked at: a hundred at the same moment are no more than one after the other.
 * The name is the one that was given and not the user whom it means: that would tell, by one being slowed down with the
 * other, which address belongs to which username. Nobody's names are counted as well, and answered alike.
 * @param hash of the password that is guessed at; null where there is none. With a new password, all starts anew
 * @param place where the guess comes from: an address block, or a session of this user
 */
export async function countGuess(
  ctx: Context,
  name: LoginName,
  hash: string | null,
  place: { block: string } | { sessionOf: string },
): Promise<Guess> {
  const subject = guessedName(name);
  // In a session the user may change their name: that must not be a fresh start.
  const where = 'block' in place ? `${subject} at ${place.block}` : `session of ${place.sessionOf}`;
  const ofPlace = usesOf(`${where} ${hash}`);
  const ofName = usesOf(`${subject} ${hash}`);
  const refused = await refuseUse(ctx, [...ofPlace, ...ofName]);
  if (refused === null) return { uses: [...ofPlace, ...ofName], slowed: null, allowedWhereKnown: true };
  const allowedWhereKnown = refused.index >= ofPlace.length;
  return { uses: ofPlace, slowed: refused.error, allowedWhereKnown };
}

/** A name in the one form in which guesses at it are counted. */
export function guessedName(name: LoginName): string {
  return 'email' in name ? `email ${addressKey(name.email)}` : `username ${foldCase(name.username.trim())}`;
}

/** The guess was right. */
export async function giveBackGuess(db: Db, ctx: Context, guess: Guess): Promise<void> {
  for (const use of guess.uses) await giveBackUse(db, ctx, use);
}

function usesOf(subject: string): Use[] {
  return [
    { limit: 'loginAccount', subject },
    { limit: 'loginAccountDay', subject },
  ];
}
