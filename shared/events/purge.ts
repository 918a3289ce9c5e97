import type { Context } from '../context';
import { purgeDeliveries } from '../webhooks/delivery-store';
import { purgeHandled, purgeOverdueRetries, purgePublished } from './purge-store';

const DAY_MS = 24 * 60 * 60 * 1000;
const BATCH_SIZE = 1_000;
/**
 * What says that an event was handled outlives the event by this, and so every way on which a copy of it can still
 * come: the longest retry is days, and a redelivery keeps its event from being purged.
 */
const INBOX_EXTRA_DAYS = 30;

export interface PurgeReport {
  events: number;
  handled: number;
  retries: number;
  /** Of webhooks. */
  deliveries: number;
}

/** Takes out what is past its retention, in small batches, until nothing is left or the budget is spent. */
export async function purgeEvents(
  ctx: Context,
  budgetMs: number,
  signal?: AbortSignal,
): Promise<PurgeReport> {
  const end = performance.now() + budgetMs;
  const age = (days: number) => new Date(ctx.now().getTime() - days * DAY_MS);
  const { retentionDays } = ctx.config.purge;
  const all = async (purge: () => Promise<number>) => {
    let total = 0;
    let purged = BATCH_SIZE;
    while (purged === BATCH_SIZE && performance.now() < end && !signal?.aborted) {
      purged = await purge();
      total += purged;
    }
    return total;
  };
  const report = {
    events: await all(() => purgePublished(ctx.db, age(retentionDays), BATCH_SIZE)),
    handled: await all(() => purgeHandled(ctx.db, age(retentionDays + INBOX_EXTRA_DAYS), BATCH_SIZE)),
    deliveries: await all(() => purgeDeliveries(ctx.db, age(retentionDays), BATCH_SIZE)),
    retries: await all(() => purgeOverdueRetries(ctx.db, age(INBOX_EXTRA_DAYS), BATCH_SIZE)),
  };
  ctx.log.info('The event log was purged', { ...report });
  return report;
}
