import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import { DomainError } from '../errors';
import { lockRole } from '../roles/role-store';
import { hasOtherActiveAdmin } from './suspension-store';

/**
 * Called before an administrator loses the role or the account, or is suspended: another one has to remain who is not
 * suspended. Serializes concurrent calls by locking the role's row, so that the second one finds only one administrator
 * left.
 * @throws DomainError `last_admin`
 */
export async function assertNotLastAdmin(
  tx: Tx,
  { now }: Pick<Context, 'now'>,
  userId: string,
): Promise<void> {
  await lockRole(tx, 'admin');
  // A separate statement sees what the concurrent transaction committed while this one waited for the lock.
  if (!(await hasOtherActiveAdmin(tx, userId, now()))) throw new DomainError('last_admin');
}
