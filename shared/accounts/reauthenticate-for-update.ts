import { foldCase } from '../characters';
import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { type PasswordProof, provePassword } from '../passwords/prove-password';
import { assertRecentAuthentication } from '../sessions/assert-recent-authentication';
import type { Caller } from '../sessions/authenticate';
import { isSameAddress } from '../users/email-address';
import type { User, UserUpdate } from '../users/user';

/** Whether the update sets an address that is neither the user's current nor their pending one. */
export function changesEmail(user: User, { email }: UserUpdate): boolean {
  if (email === undefined || isSameAddress(email, user.email)) return false;
  return email === null || !isSameAddress(email, user.pendingEmail);
}

/**
 * A stolen access token must not be enough to take over the account: changing the email address, which receives reset
 * links, requires the password; changing the username requires the password or a recent authentication.
 * @returns null if the update needs no password
 * @throws DomainError `invalid_request` if the password is missing, `invalid_credentials`, `rate_limited`, or
 * `reauthentication_required`
 */
export async function reauthenticateForUpdate(
  ctx: Context,
  caller: Caller,
  update: UserUpdate,
  currentPassword: string | undefined,
  origin: Origin,
): Promise<PasswordProof | null> {
  const { user } = caller;
  if (changesEmail(user, update)) {
    if (currentPassword === undefined) throw passwordRequired();
    return provePassword(ctx, user.id, currentPassword, origin);
  }
  const { username } = update;
  if (username !== undefined && foldCase(username) !== foldCase(user.username)) {
    if (currentPassword !== undefined) await provePassword(ctx, user.id, currentPassword, origin);
    else assertRecentAuthentication(ctx, caller);
  }
  return null;
}

export function passwordRequired(): DomainError {
  const message = 'is required to change the email address';
  return new DomainError('invalid_request', { errors: [{ path: 'currentPassword', message }] });
}
