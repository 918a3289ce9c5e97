import { recordAct } from '../audit/record-act';
import type { Context } from '../context/context';
import type { Origin } from '../events/origin';
import { type ReplayFilter, replayEvents } from '../outbox/replay-store';
import { assertConsumerQueue } from './consumer-queue';

/**
 * Has the relay send past events to one consumer's queue again.
 * @returns how many
 * @throws DomainError `invalid_request` for a queue that no consumer has
 */
export async function replay(ctx: Context, filter: ReplayFilter, origin: Origin): Promise<number> {
  assertConsumerQueue(ctx.config.events, filter.queue);
  const replayed = await ctx.db.transaction().execute(async (tx) => {
    const sent = await replayEvents(tx, filter);
    const types = filter.types && [...new Set(filter.types)];
    await recordAct(tx, ctx, origin, {
      type: 'events.replayed',
      details: { ...filter, types, replayed: sent },
    });
    return sent;
  });
  ctx.log.info('Events are replayed', { queue: filter.queue, replayed });
  return replayed;
}
