import type { Tx } from '../db/connection';
import { DomainError } from '../errors';
import { lockRole } from '../roles/role-store';
import { countUsersWithRole } from './user-store';

/**
 * Called before an administrator loses the role or the account. Serializes concurrent demotions by locking the role's
 * row, so that the second one finds only one administrator left.
 * @throws DomainError `last_admin`
 */
export async function assertNotLastAdmin(tx: Tx): Promise<void> {
  await lockRole(tx, 'admin');
  // A separate statement sees what the concurrent transaction committed while this one waited for the lock.
  if ((await countUsersWithRole(tx, 'admin')) <= 1) throw new DomainError('last_admin');
}
