import type { Tx } from '../db/connection';
import { DomainError } from '../errors';
import { lockRole } from '../roles/role-store';
import { countUsersWithRole } from './user-store';

/**
 * For an administrator who is about to lose the role or the account. Two who would do away with each other at the same
 * time come one after the other, by a lock on the role's row, and the second finds only one left.
 * @throws DomainError `last_admin`
 */
export async function assertNotLastAdmin(tx: Tx): Promise<void> {
  await lockRole(tx, 'admin');
  // A statement of its own, which sees what the one that was waited for has committed.
  if ((await countUsersWithRole(tx, 'admin')) <= 1) throw new DomainError('last_admin');
}
