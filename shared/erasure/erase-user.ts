import { deleteLocked } from '../accounts/delete-user';
import { lockUserToChange } from '../accounts/lock-user';
import type { Origin } from '../events/origin';
import { appendEvent } from '../outbox/event-store';
import type { PublishingContext } from '../outbox/publisher';
import type { Caller } from '../sessions/authenticate';
import { sequenceOf } from '../users/sequence';
import { addressHashes } from './address-hash';
import { type ErasureCase, findCase, insertCase } from './case-store';
import { completeIfAnswered, requestSequence } from './record-receipt';

/**
 * Deletes a user, as `deleteUser` does, and opens a case: all services that are registered as data holders are asked to
 * erase what they hold, and each owes a receipt. Without any, the case is completed at once.
 * @throws DomainError `not_found`, `forbidden`, `version_mismatch` or `last_admin`
 */
export async function eraseUser(
  ctx: PublishingContext,
  caller: Caller,
  id: string,
  versions: number[] | null,
  requestOrigin: Origin,
): Promise<ErasureCase> {
  const caseId = ctx.newId();
  const { events, opened } = await ctx.db.transaction().execute(async (tx) => {
    const user = await lockUserToChange(tx, ctx, caller, id, versions);
    const deleted = await deleteLocked(tx, ctx, user, requestOrigin);
    const isOwn = user.id === caller.user.id;
    // Events after the erasure must not store the user's address and user agent again.
    const origin = isOwn ? { ...requestOrigin, address: null, userAgent: null } : requestOrigin;
    const sequence = requestSequence(sequenceOf(user.version + 1));
    const requested = await appendEvent(tx, ctx, 'inline', {
      type: 'user.erasure_requested',
      subject: user.id,
      sequence,
      data: { id: user.id, caseId },
      origin,
    });
    const [addressHash = null] = user.email === null ? [] : addressHashes(ctx.config, user.email);
    await insertCase(tx, {
      id: caseId,
      userId: user.id,
      eventId: requested.event.id,
      sequence,
      addressHash,
      requestedBy: isOwn ? 'user' : 'administrator',
      now: ctx.now(),
    });
    await completeIfAnswered(tx, ctx, { id: caseId, userId: user.id, sequence }, origin);
    return { events: [...deleted, requested], opened: await findCase(tx, caseId, ctx.now()) };
  });
  if (!opened) throw new Error(`The case ${caseId} was not stored`);
  await ctx.publisher.publish(events);
  return opened;
}
