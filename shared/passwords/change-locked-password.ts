import type { Tx } from '../db/connection';
import type { User } from '../users/user';
import { updateUserRow } from '../users/user-store';
import type { HashedPassword } from './hash';
import { setPassword } from './password-store';

/**
 * Gives a user whom the caller has locked another password, as the next version. Whoever knew the old one may have asked
 * for another address: with the password, that goes too.
 * @param user with what else changes
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
