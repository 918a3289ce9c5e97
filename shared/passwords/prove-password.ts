import type { Context } from '../context';
import { DomainError } from '../errors';
import { giveBackUse, limitRate, type Use } from '../rate-limits/limit-rate';
import { findPasswordHash } from '../users/credential-store';
import { verifyPassword } from './hash';

/**
 * Checks the password of a user who is logged in. A stolen access token must not be a way to guess it: the guesses are
 * limited as failed logins are, together for everything that asks for the password.
 * @returns the hash that was checked: a change that relies on it has to see whether it is still the user's
 * @throws DomainError `invalid_credentials`, or `rate_limited` after too many wrong ones
 */
export async function provePassword(ctx: Context, userId: string, password: string): Promise<string> {
  const failure: Use = { limit: 'loginAccount', subject: `password of ${userId}` };
  await limitRate(ctx, [failure]);
  const hash = await findPasswordHash(ctx.db, userId);
  const matches = await verifyPassword(password, hash, ctx.config.users.bcryptCost);
  if (hash === null || !matches) throw new DomainError('invalid_credentials');
  await giveBackUse(ctx.db, ctx, failure);
  return hash;
}
