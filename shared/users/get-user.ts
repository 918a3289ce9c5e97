import * as v from 'valibot';
import type { Context } from '../context/context';
import { DomainError } from '../errors';
import { UserId } from './fields';
import type { User } from './user';
import { findUser } from './user-store';

/** @throws DomainError `not_found`, also for a malformed id */
export async function getUser(ctx: Context, id: string): Promise<User> {
  const user = v.is(UserId, id) ? await findUser(ctx.db, id) : null;
  if (!user) throw new DomainError('not_found', { detail: 'User not found' });
  return user;
}
