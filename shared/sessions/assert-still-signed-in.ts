import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import { DomainError } from '../errors';
import type { Caller } from './authenticate';
import { isActive } from './session-store';

/**
 * For a change of the caller's own, whom the transaction has locked: refuses it if their session has ended while it waited for
 * the lock. What ended it may have been meant to keep the caller out.
 * @throws DomainError `unauthorized`
 */
export async function assertStillSignedIn(tx: Tx, ctx: Context, { sessionId }: Caller): Promise<void> {
  if (await isActive(tx, sessionId, ctx.now())) return;
  throw new DomainError('unauthorized', {
    headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
  });
}
