import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { appendEvent } from '../outbox/event-store';
import type { PublishingContext } from '../outbox/publisher';
import type { Caller } from '../sessions/authenticate';
import { endSessions } from '../sessions/end-sessions';
import { assertNotLastAdmin } from '../users/last-admin';
import { sequenceOf } from '../users/sequence';
import { activeSuspension, type Suspension } from '../users/suspension';
import { updateSuspension } from '../users/suspension-store';
import type { User } from '../users/user';
import { lockUserToChange } from './lock-user';

/**
 * Suspends a user, or replaces the suspension: they cannot sign in, and their sessions end, with which their access tokens
 * stop working. The same suspension again changes nothing.
 * @throws DomainError `not_found`, `forbidden`, also for oneself, `version_mismatch`, `last_admin`, or `invalid_request` if
 * `until` is not in the future
 */
export async function suspendUser(
  ctx: PublishingContext,
  caller: Caller,
  id: string,
  { reason, until }: Pick<Suspension, 'reason' | 'until'>,
  versions: number[] | null,
  origin: Origin,
): Promise<User> {
  if (id.toLowerCase() === caller.user.id)
    throw new DomainError('forbidden', { detail: 'You cannot suspend your own user' });
  const now = ctx.now();
  if (until !== null && new Date(until) <= now) {
    throw new DomainError('invalid_request', {
      errors: [{ path: 'until', message: 'must be in the future' }],
    });
  }
  const { user, events } = await ctx.db.transaction().execute(async (tx) => {
    const before = await lockUserToChange(tx, ctx, caller, id, versions);
    const current = activeSuspension(before, now);
    if (current?.until === until && current.reason === reason) return { user: before, events: [] };
    if (before.role === 'admin') await assertNotLastAdmin(tx, ctx, before.id);
    const since = current?.since ?? now.toISOString();
    const user = await updateSuspension(tx, before.id, { since, until, reason }, now);
    const event = await appendEvent(tx, ctx, 'inline', {
      type: 'user.suspended',
      subject: user.id,
      sequence: sequenceOf(user.version),
      data: { id: user.id, until },
      origin,
    });
    const ended = await endSessions(tx, ctx, 'relay', {
      userId: user.id,
      choice: 'all',
      reason: 'revoked',
      cause: 'user_suspended',
      origin,
    });
    return { user, events: [event, ...ended] };
  });
  await ctx.publisher.publish(events);
  return user;
}
