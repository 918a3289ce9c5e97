import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { appendEvent } from '../outbox/event-store';
import type { PublishingContext } from '../outbox/publisher';
import type { Caller } from '../sessions/authenticate';
import { sequenceOf } from '../users/sequence';
import { updateSuspension } from '../users/suspension-store';
import type { User } from '../users/user';
import { lockUserToChange } from './lock-user';

/**
 * Lifts a user's suspension: they can sign in again. Sessions that it ended stay ended.
 * @throws DomainError `not_found`, also if the user is not suspended, `forbidden` or `version_mismatch`
 */
export async function restoreUser(
  ctx: PublishingContext,
  caller: Caller,
  id: string,
  versions: number[] | null,
  origin: Origin,
): Promise<User> {
  const { user, event } = await ctx.db.transaction().execute(async (tx) => {
    const before = await lockUserToChange(tx, ctx, caller, id, versions);
    if (before.suspension === null)
      throw new DomainError('not_found', { detail: 'The user is not suspended' });
    const user = await updateSuspension(tx, before.id, null, ctx.now());
    const event = await appendEvent(tx, ctx, 'inline', {
      type: 'user.restored',
      subject: user.id,
      sequence: sequenceOf(user.version),
      data: { id: user.id },
      origin,
    });
    return { user, event };
  });
  await ctx.publisher.publish([event]);
  return user;
}
