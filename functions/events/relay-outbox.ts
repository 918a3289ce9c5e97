// Every minute: sends the events that were not confirmed when they were written, and those that nobody sends inline.
import { measuredRelay } from '../../shared/ops/measured-runs';
import { publishingContext } from '../../shared/outbox/publisher';
import type { RelayReport } from '../../shared/outbox/relay';

export async function handler(): Promise<RelayReport> {
  const ctx = publishingContext();
  return measuredRelay(ctx, ctx.config.relay.budgetMs);
}
