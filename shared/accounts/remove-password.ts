import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { appendEvent } from '../outbox/event-store';
import type { PublishingContext } from '../outbox/publisher';
import { deletePassword } from '../passwords/password-store';
import { limitRate } from '../rate-limits/limit-rate';
import type { Caller } from '../sessions/authenticate';
import { assertCanSignIn } from '../sign-in/assert-can-sign-in';
import { sequenceOf } from '../users/sequence';
import { updateUserRow } from '../users/user-store';
import { lockUserToChange } from './lock-user';

/**
 * Removes the caller's password: they sign in by their other methods. Their sessions go on. The version rises, so that a
 * login that has just checked the password opens no session.
 * @throws DomainError `not_found` without a password, `last_sign_in_method`, `version_mismatch` or `rate_limited`
 */
export async function removePassword(
  ctx: PublishingContext,
  caller: Caller,
  versions: number[] | null,
  origin: Origin,
): Promise<void> {
  const { id } = caller.user;
  await limitRate(ctx, [{ limit: 'updateAccount', subject: id }]);
  const event = await ctx.db.transaction().execute(async (tx) => {
    const user = await lockUserToChange(tx, ctx, caller, id, versions);
    if (!(await deletePassword(tx, id)))
      throw new DomainError('not_found', { detail: 'There is no password to remove' });
    await assertCanSignIn(tx, ctx, id);
    const { version } = await updateUserRow(tx, user, ctx.now());
    return appendEvent(tx, ctx, 'inline', {
      type: 'user.password_removed',
      subject: id,
      sequence: sequenceOf(version),
      data: { id },
      origin,
    });
  });
  await ctx.publisher.publish([event]);
}
