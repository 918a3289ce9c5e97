import { recordAdminAction } from '../audit/record-admin-action';
import { CONSUMERS, queueOf } from '../broker/topology';
import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { keepLogFrom } from '../outbox/log-start-store';
import { insertReplay } from '../outbox/replay-store';
import { resetCounts } from './analytics-store';

const HOUR_MS = 60 * 60 * 1000;

export interface Rebuild {
  from: string;
  /** Not included. */
  to: string;
  /** What sends their events again. */
  replayId: string;
}

/**
 * Takes back the counts of a range and asks for its events to be counted again, in one transaction. The range is widened to whole
 * hours, and cut to those of which the event log still has every event: older ones keep their counts. Without a range:
 * all of those, the present hour included.
 * @throws DomainError `invalid_request` where nothing of the range can be counted again
 */
export async function rebuildAnalytics(
  ctx: Context,
  range: { from?: string | undefined; to?: string | undefined },
  origin: Origin,
): Promise<Rebuild> {
  const endOfHour = (Math.floor(ctx.now().getTime() / HOUR_MS) + 1) * HOUR_MS;
  const rebuilt = await ctx.db.transaction().execute(async (tx) => {
    const start = await keepLogFrom(tx, new Date(endOfHour - HOUR_MS));
    const from = Math.max(start.getTime(), hourBefore(range.from) ?? 0);
    const to = Math.min(endOfHour, hourAfter(range.to) ?? endOfHour);
    if (from >= to) {
      const message = `must be after \`from\`, and after ${start.toISOString()}, where the event log begins`;
      throw new DomainError('invalid_request', { errors: [{ path: 'to', message }] });
    }
    const between = { from: new Date(from), to: new Date(to) };
    await resetCounts(tx, between.from, between.to);
    const iso = { from: between.from.toISOString(), to: between.to.toISOString() };
    const queue = queueOf(ctx.config.events, 'analytics');
    const replayId = ctx.newId();
    await insertReplay(tx, replayId, { queue, types: [...CONSUMERS.analytics], ...iso }, true);
    await recordAdminAction(tx, ctx, origin, { type: 'analytics.rebuilt', details: { ...iso, replayId } });
    return { ...iso, replayId };
  });
  ctx.log.info('Counts are rebuilt', { ...rebuilt });
  return rebuilt;
}

function hourBefore(time: string | undefined): number | undefined {
  return time === undefined ? undefined : Math.floor(Date.parse(time) / HOUR_MS) * HOUR_MS;
}

function hourAfter(time: string | undefined): number | undefined {
  return time === undefined ? undefined : Math.ceil(Date.parse(time) / HOUR_MS) * HOUR_MS;
}
