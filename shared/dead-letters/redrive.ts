import { recordAdminAction } from '../audit/record-admin-action';
import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import { DomainError } from '../errors';
import { assertConsumerQueue, isConsumerQueue } from '../event-operations/consumer-queue';
import { parseEvent, type UserEvent } from '../events/catalog';
import type { Origin } from '../events/origin';
import {
  auditedLetter,
  type DeadLetter,
  lockDeadLetter,
  lockUnknown,
  moveToDispatch,
  replaceEvent,
} from './dead-letter-store';

/**
 * Has the relay send a dead letter to its queue again.
 * @returns the id of its event
 * @throws DomainError `not_found`, or `not_redrivable` where it holds no event or no consumer has its queue
 */
export async function redriveDeadLetter(ctx: Context, id: string, origin: Origin): Promise<string> {
  return ctx.db.transaction().execute(async (tx) => {
    const letter = await lockDeadLetter(tx, id);
    if (!letter) throw new DomainError('not_found');
    const event = letter.event ?? (await recognize(tx, letter));
    if (!event) {
      throw new DomainError('not_redrivable', { detail: 'It holds no event: edit it first, or delete it' });
    }
    if (!isConsumerQueue(ctx.config.events, letter.queue)) {
      throw new DomainError('not_redrivable', { detail: 'There is no consumer for its queue any more' });
    }
    await moveToDispatch(tx, { id });
    const details = auditedLetter({ ...letter, event });
    await recordAdminAction(tx, ctx, origin, { type: 'dead_letter.redriven', subject: id, details });
    return event.id;
  });
}

/**
 * The same with all dead letters of a queue that hold an event.
 * @returns how many
 * @throws DomainError `invalid_request` for a queue that no consumer has
 */
export async function redriveDeadLetters(ctx: Context, queue: string, origin: Origin): Promise<number> {
  assertConsumerQueue(ctx.config.events, queue);
  const redriven = await ctx.db.transaction().execute(async (tx) => {
    for (const letter of await lockUnknown(tx, queue)) await recognize(tx, letter);
    const moved = await moveToDispatch(tx, { queue });
    const details = { queue, redriven: moved };
    await recordAdminAction(tx, ctx, origin, { type: 'dead_letters.redriven', details });
    return moved;
  });
  ctx.log.info('Dead letters are redriven', { queue, redriven });
  return redriven;
}

/** What an older version took for no event, such as a type that came with a newer one, may be one to this version. */
async function recognize(tx: Tx, letter: DeadLetter): Promise<UserEvent | null> {
  const event = letter.body === null ? null : parseEvent(Buffer.from(letter.body));
  return event && replaceEvent(tx, letter.id, event);
}
