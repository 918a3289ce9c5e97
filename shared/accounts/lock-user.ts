import * as v from 'valibot';
import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import { DomainError } from '../errors';
import { assertStillSignedIn } from '../sessions/assert-still-signed-in';
import type { Caller } from '../sessions/authenticate';
import { assertMayActFor } from '../users/assert-may-act-for';
import { UserId } from '../users/fields';
import type { User } from '../users/user';
import { lockUserRow } from '../users/user-store';

/**
 * Reads and locks a user until the caller's transaction ends. Concurrent changes wait. A change of the caller's own is refused
 * if their session has ended while it waited.
 * @param versions the versions that the client accepts (`If-Match`), or null for any
 * @throws DomainError `unauthorized`, `not_found`, `forbidden` if the user's role exceeds the caller's, or `version_mismatch`
 */
export async function lockUserToChange(
  tx: Tx,
  ctx: Context,
  caller: Caller,
  id: string,
  versions: number[] | null = null,
): Promise<User> {
  const user = v.is(UserId, id) ? await lockUserRow(tx, id) : null;
  if (!user) throw new DomainError('not_found', { detail: 'User not found' });
  if (user.id === caller.user.id) await assertStillSignedIn(tx, ctx, caller);
  await assertMayActFor({ ...ctx, db: tx }, caller, user);
  if (versions && !versions.includes(user.version)) {
    throw new DomainError('version_mismatch', {
      detail: 'The user has changed since you read it. Read it again and repeat the change',
      headers: { etag: `"${user.version}"` },
    });
  }
  return user;
}
