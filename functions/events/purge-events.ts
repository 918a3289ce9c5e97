// Every hour: takes what is older than EVENT_RETENTION_DAYS out of the event log.
import { containerContext, patient } from '../../shared/context/context';
import { type PurgeReport, purgeEvents } from '../../shared/ops/purge';

export async function handler(): Promise<PurgeReport> {
  const ctx = containerContext((config) => patient(config, config.purge.budgetMs));
  return purgeEvents(ctx, ctx.config.purge.budgetMs);
}
