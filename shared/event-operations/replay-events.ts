import { recordAdminAction } from '../audit/record-admin-action';
import type { Context } from '../context/context';
import type { Db } from '../db/connection';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { countReplayed, type ReplayCount } from '../outbox/replay-count-store';
import { findReplay, insertReplay, type Replay, type ReplayFilter } from '../outbox/replay-store';
import { assertConsumerQueue } from './consumer-queue';

/**
 * Asks for past events to be sent to one consumer's queue again. The relay does it, step by step.
 * @throws DomainError `invalid_request` for a queue that no consumer has
 */
export async function replayEvents(ctx: Context, filter: ReplayFilter, origin: Origin): Promise<Replay> {
  assertConsumerQueue(ctx.config.events, filter.queue);
  const types = filter.types && [...new Set(filter.types)];
  const replayId = ctx.newId();
  const replay = await ctx.db.transaction().execute(async (tx) => {
    await insertReplay(tx, replayId, { ...filter, types });
    const details = { ...filter, types, replayId };
    await recordAdminAction(tx, ctx, origin, { type: 'events.replayed', details });
    return getReplay(tx, replayId);
  });
  ctx.log.info('A replay was requested', { queue: filter.queue, replayId });
  return replay;
}

/**
 * How many events a replay would send. Writes nothing.
 * @throws DomainError `invalid_request` for a queue that no consumer has
 */
export async function countReplay(ctx: Context, filter: ReplayFilter): Promise<ReplayCount> {
  assertConsumerQueue(ctx.config.events, filter.queue);
  return countReplayed(ctx.db, filter);
}

/** @throws DomainError `not_found` */
export async function getReplay(db: Db, id: string): Promise<Replay> {
  const replay = await findReplay(db, id);
  if (!replay) throw new DomainError('not_found', { detail: 'There is no such replay' });
  return replay;
}
