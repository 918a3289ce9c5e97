import { DomainError } from '../errors';

/**
 * For who is about to lose the role or the account.
 * @param admins from `lockAdmins`, called before anybody's own row was locked: two who would demote each other at the
 * same time then come one after the other, and the second finds only one left
 * @throws DomainError `last_admin`
 */
export function assertNotLastAdmin(admins: string[], user: { id: string }): void {
  if (admins.length === 1 && admins[0] === user.id) throw new DomainError('last_admin');
}
