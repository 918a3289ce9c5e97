import type { Context } from '../context/context';
import { limitRate } from '../rate-limits/limit-rate';
import { assertRecentAuthentication } from '../sessions/assert-recent-authentication';
import type { Caller } from '../sessions/authenticate';

/**
 * A stolen access token must not be enough to add or remove the caller's own factors, which could lock its owner out.
 * Limits attempts, because each writes a row.
 * @throws DomainError `reauthentication_required` or `rate_limited`
 */
export async function assertMayChangeFactors(ctx: Context, caller: Caller): Promise<void> {
  assertRecentAuthentication(ctx, caller);
  await limitRate(ctx, [{ limit: 'updateAccount', subject: `factors of ${caller.user.id}` }]);
}
