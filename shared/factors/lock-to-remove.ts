import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import { assertRecentAuthentication } from '../sessions/assert-recent-authentication';
import { assertStillSignedIn } from '../sessions/assert-still-signed-in';
import type { Caller } from '../sessions/authenticate';
import { getUserToActFor } from '../users/assert-may-act-for';
import { takeMinorSequence } from '../users/sequence';
import type { User } from '../users/user';
import { assertMayChangeFactors } from './assert-may-change-factors';

/**
 * The user of whom the caller may remove a second factor or a passkey: themselves, or, for support, whom they may act for.
 * @throws DomainError `not_found`, `forbidden`, or `reauthentication_required`; for the caller's own also `rate_limited`
 */
export async function getUserToRemoveFrom(ctx: Context, caller: Caller, userId: string): Promise<User> {
  const user = await getUserToActFor(ctx, caller, userId);
  if (user.id === caller.user.id) await assertMayChangeFactors(ctx, caller);
  else assertRecentAuthentication(ctx, caller);
  return user;
}

/**
 * Locks that user and takes the next sequence.
 * @returns null if the user was deleted
 * @throws DomainError `unauthorized` if it is the caller, whose session has ended meanwhile
 */
export async function lockToRemoveFrom(
  tx: Tx,
  ctx: Context,
  caller: Caller,
  userId: string,
): Promise<string | null> {
  const sequence = await takeMinorSequence(tx, userId);
  if (userId === caller.user.id) await assertStillSignedIn(tx, ctx, caller);
  return sequence;
}
