// Every hour: deletes events older than EVENT_RETENTION_DAYS from the event log.
import { containerContext, withLongTimeouts } from '../../shared/context/context';
import { type PurgeReport, purgeEvents } from '../../shared/ops/purge';

export async function handler(): Promise<PurgeReport> {
  const ctx = containerContext((config) => withLongTimeouts(config, config.purge.budgetMs));
  return purgeEvents(ctx, ctx.config.purge.budgetMs);
}
