import type { Context } from '../context';
import { assertConsumerQueue } from './consumer-queue';
import { type ReplayFilter, replayEvents } from './redelivery-store';

/**
 * Has the relay send past events to one consumer's queue again.
 * @returns how many
 * @throws DomainError `invalid_request` for a queue that no consumer has
 */
export async function replay(ctx: Context, filter: ReplayFilter): Promise<number> {
  assertConsumerQueue(ctx.config.events, filter.queue);
  const replayed = await replayEvents(ctx.db, filter);
  ctx.log.info('Events are replayed', { queue: filter.queue, replayed });
  return replayed;
}
