import * as v from 'valibot';
import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import { DomainError } from '../errors';
import type { Caller } from '../sessions/authenticate';
import { assertMayActFor } from '../users/assert-may-act-for';
import { UserId } from '../users/fields';
import type { User } from '../users/user';
import { lockUserRow } from '../users/user-store';

/**
 * The user as they are now, and stay until the caller's transaction ends: whoever else wants to change them waits.
 * @param versions those that the client has seen and allows, or null for any
 * @throws DomainError `not_found`, `forbidden` where their role exceeds the caller's, or `version_mismatch`
 */
export async function lockUserToChange(
  tx: Tx,
  ctx: Context,
  caller: Caller,
  id: string,
  versions: number[] | null = null,
): Promise<User> {
  const user = v.is(UserId, id) ? await lockUserRow(tx, id) : null;
  if (!user) throw new DomainError('not_found', { detail: 'There is no such user' });
  await assertMayActFor({ ...ctx, db: tx }, caller, user);
  if (versions && !versions.includes(user.version)) {
    throw new DomainError('version_mismatch', {
      detail: 'The user has changed since: read it again, and repeat the change on what you find',
      headers: { etag: `"${user.version}"` },
    });
  }
  return user;
}
