import { foldCase } from '../characters';
import type { Context } from '../context/context';
import type { Origin } from '../events/origin';
import { assertRecentAuthentication } from '../sessions/assert-recent-authentication';
import type { Caller } from '../sessions/authenticate';
import { isSameAddress } from '../users/email-address';
import type { User, UserUpdate } from '../users/user';
import { type OwnerProof, proveOwner } from './prove-owner';

/** Whether the update sets an address that is neither the user's current nor their pending one. */
export function changesEmail(user: User, { email }: UserUpdate): boolean {
  if (email === undefined || isSameAddress(email, user.email)) return false;
  return email === null || !isSameAddress(email, user.pendingEmail);
}

/**
 * A stolen access token must not be enough to take over an account: for a new address of one's own, see `proveOwner`; a new
 * username of one's own takes that or a recent authentication, and another user's address a recent authentication.
 * @returns null if the update needs no proof of the account's owner
 * @throws DomainError `reauthentication_required`, or as `proveOwner` does
 */
export async function reauthenticateForUpdate(
  ctx: Context,
  caller: Caller,
  id: string,
  update: UserUpdate,
  currentPassword: string | undefined,
  origin: Origin,
): Promise<OwnerProof | null> {
  const { user } = caller;
  if (id !== user.id) {
    if (update.email !== undefined || update.emailVerified) assertRecentAuthentication(ctx, caller);
    return null;
  }
  if (changesEmail(user, update)) return proveOwner(ctx, caller, currentPassword, origin);
  const { username } = update;
  if (username !== undefined && foldCase(username) !== foldCase(user.username)) {
    if (currentPassword !== undefined) await proveOwner(ctx, caller, currentPassword, origin);
    else assertRecentAuthentication(ctx, caller);
  }
  return null;
}
