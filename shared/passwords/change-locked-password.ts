import type { Tx } from '../db/connection';
import type { User } from '../users/user';
import { updateUserRow } from '../users/user-store';
import type { HashedPassword } from './hash';
import { setPassword } from './password-store';

/**
 * Sets a new password for a user whom the caller has locked, as the next version. Also cancels a pending address change:
 * someone who knew the old password may have requested it.
 * @param user with all other changes applied
 * @throws DomainError `email_taken`
 */
export async function changeLockedPassword(
  tx: Tx,
  user: User,
  password: HashedPassword,
  now: Date,
): Promise<User> {
  const changed = await updateUserRow(tx, { ...user, pendingEmail: null }, now);
  await setPassword(tx, user.id, password);
  return changed;
}
