import type { Context } from '../context';
import { DomainError } from '../errors';
import { assertConsumerQueue, isConsumerQueue } from './consumer-queue';
import { isDeadLetterId, lockDeadLetter, moveToRedeliveries } from './dead-letter-store';

/**
 * Has the relay send a dead letter to its queue again.
 * @throws DomainError `not_found`, or `not_redrivable` where it holds no event or no consumer has its queue
 */
export async function redriveDeadLetter(ctx: Context, id: string): Promise<void> {
  if (!isDeadLetterId(id)) throw new DomainError('not_found');
  await ctx.db.transaction().execute(async (tx) => {
    const letter = await lockDeadLetter(tx, id);
    if (!letter) throw new DomainError('not_found');
    if (!letter.event) {
      throw new DomainError('not_redrivable', { detail: 'It holds no event: edit it first, or delete it' });
    }
    if (!isConsumerQueue(ctx.config.events, letter.queue)) {
      throw new DomainError('not_redrivable', { detail: 'There is no consumer for its queue any more' });
    }
    await moveToRedeliveries(tx, { id });
  });
}

/**
 * The same with all dead letters of a queue that hold an event.
 * @returns how many
 * @throws DomainError `invalid_request` for a queue that no consumer has
 */
export async function redriveQueue(ctx: Context, queue: string): Promise<number> {
  assertConsumerQueue(ctx.config.events, queue);
  const redriven = await moveToRedeliveries(ctx.db, { queue });
  ctx.log.info('Dead letters are redriven', { queue, redriven });
  return redriven;
}
