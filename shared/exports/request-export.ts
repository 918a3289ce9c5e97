import { lockUserToChange } from '../accounts/lock-user';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { appendEvent, type PendingEvent } from '../outbox/event-store';
import type { PublishingContext } from '../outbox/publisher';
import { limitRate } from '../rate-limits/limit-rate';
import type { Caller } from '../sessions/authenticate';
import { takeMinorSequence } from '../users/sequence';
import { type Export, OWN_PART } from './export-case';
import { findExport, findPending, insertExport } from './export-store';
import { markReadyIfAnswered } from './mark-ready';
import { collectOwnPart } from './own-part';
import { assertCanSeal, sealPart } from './part';

/**
 * Opens an export: seals what this service holds of the user, and asks all data holders for what they hold. While one awaits
 * answers, it is returned again, and nothing else happens.
 * @throws DomainError `unavailable` without `ENCRYPTION_KEYS`, `not_found`, `forbidden` or `rate_limited`
 */
export async function requestExport(
  ctx: PublishingContext,
  caller: Caller,
  userId: string,
  origin: Origin,
): Promise<Export> {
  assertCanSeal(ctx);
  const { id, events } = await ctx.db.transaction().execute(async (tx) => {
    const user = await lockUserToChange(tx, ctx, caller, userId);
    const pending = await findPending(tx, user.id, ctx.now());
    const events: PendingEvent[] = [];
    if (pending !== null) return { id: pending, events };
    await limitRate({ ...ctx, db: tx }, [{ limit: 'exportAccount', subject: user.id }]);
    const id = ctx.newId();
    await insertExport(tx, {
      id,
      userId: user.id,
      requestedBy: user.id === caller.user.id ? 'user' : 'administrator',
      part: sealPart(ctx, id, OWN_PART, await collectOwnPart(tx, ctx, user)),
      now: ctx.now(),
    });
    const sequence = await takeMinorSequence(tx, user.id);
    if (sequence === null) throw new DomainError('not_found', { detail: 'User not found' });
    const data = { id: user.id, caseId: id };
    const subject = user.id;
    events.push(
      await appendEvent(tx, ctx, 'inline', {
        type: 'user.export_requested',
        subject,
        sequence,
        data,
        origin,
      }),
    );
    await markReadyIfAnswered(tx, ctx, { id, userId: user.id }, origin);
    return { id, events };
  });
  await ctx.publisher.publish(events);
  const opened = await findExport(ctx.db, id, ctx.now());
  if (!opened) throw new DomainError('not_found', { detail: 'User not found' });
  return opened;
}
