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
  moveOldestToDispatch,
  moveToDispatch,
  replaceEvent,
} from './dead-letter-store';

/** Some 0.1 s for a statement, which has at most 5 s. */
const BATCH_SIZE = 5_000;
/** A gateway ends a request after 30 s. */
const BUDGET_MS = 20_000;

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
    await moveToDispatch(tx, id);
    const details = auditedLetter({ ...letter, event });
    await recordAdminAction(tx, ctx, origin, { type: 'dead_letter.redriven', subject: id, details });
    return event.id;
  });
}

/**
 * The same with the dead letters of a queue that hold an event, oldest first, until none are left or the budget is spent.
 * Each batch is a transaction with an entry in the audit log, so what a failure interrupts is continued by a repetition.
 * @returns how many. Repeat it until it is 0
 * @throws DomainError `invalid_request` for a queue that no consumer has
 */
export async function redriveDeadLetters(
  ctx: Context,
  queue: string,
  origin: Origin,
  { batchSize = BATCH_SIZE, budgetMs = BUDGET_MS } = {},
): Promise<number> {
  assertConsumerQueue(ctx.config.events, queue);
  const end = performance.now() + budgetMs;
  await ctx.db.transaction().execute(async (tx) => {
    for (const letter of await lockUnknown(tx, queue)) await recognize(tx, letter);
  });
  let redriven = 0;
  let moved: number;
  do {
    moved = await redriveBatch(ctx, queue, batchSize, origin);
    redriven += moved;
  } while (moved >= batchSize && performance.now() < end);
  ctx.log.info('Dead letters are redriven', { queue, redriven });
  return redriven;
}

function redriveBatch(ctx: Context, queue: string, limit: number, origin: Origin): Promise<number> {
  return ctx.db.transaction().execute(async (tx) => {
    const redriven = await moveOldestToDispatch(tx, queue, limit);
    const details = { queue, redriven };
    await recordAdminAction(tx, ctx, origin, { type: 'dead_letters.redriven', details });
    return redriven;
  });
}

/** What an older version took for no event, such as a type that came with a newer one, may be one to this version. */
async function recognize(tx: Tx, letter: DeadLetter): Promise<UserEvent | null> {
  const event = letter.body === null ? null : parseEvent(Buffer.from(letter.body));
  return event && replaceEvent(tx, letter.id, event);
}
