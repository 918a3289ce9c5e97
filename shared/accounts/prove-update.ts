import { foldCase } from '../characters';
import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { type PasswordProof, provePassword } from '../passwords/prove-password';
import { assertRecentlyProven } from '../sessions/assert-recently-proven';
import type { Caller } from '../sessions/authenticate';
import { isSameAddress } from '../users/email-address';
import type { User, UserUpdate } from '../users/user';

/** Whether a user's own update is about an address that is not theirs, and is not being proven either. */
export function wantsOtherAddress(user: User, { email }: UserUpdate): boolean {
  if (email === undefined || isSameAddress(email, user.email)) return false;
  return email === null || !isSameAddress(email, user.pendingEmail);
}

/**
 * What leads to the account is not changed by whoever holds a stolen access token: the address, to which reset mails go,
 * takes the password itself; the username, by which one logs in, at least a recent proof of it.
 * @returns null where the update takes no password
 * @throws DomainError `invalid_request` where the password is missing, `invalid_credentials`, `rate_limited`, or
 * `reauthentication_required`
 */
export async function proveUpdate(
  ctx: Context,
  caller: Caller,
  update: UserUpdate,
  currentPassword: string | undefined,
  origin: Origin,
): Promise<PasswordProof | null> {
  const { user } = caller;
  if (wantsOtherAddress(user, update)) {
    if (currentPassword === undefined) throw passwordRequired();
    return provePassword(ctx, user.id, currentPassword, origin);
  }
  const { username } = update;
  if (username !== undefined && foldCase(username) !== foldCase(user.username)) {
    if (currentPassword !== undefined) await provePassword(ctx, user.id, currentPassword, origin);
    else assertRecentlyProven(ctx, caller);
  }
  return null;
}

export function passwordRequired(): DomainError {
  const message = 'is required to change the email address';
  return new DomainError('invalid_request', { errors: [{ path: 'currentPassword', message }] });
}
