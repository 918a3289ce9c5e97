// Every minute: publishes the events whose inline publish was not confirmed, and those without one.
import { measuredRelay } from '../../shared/ops/measured-runs';
import { publishingContext } from '../../shared/outbox/publisher';
import type { RelayReport } from '../../shared/outbox/relay';

export async function handler(): Promise<RelayReport> {
  const ctx = publishingContext();
  return measuredRelay(ctx, ctx.config.relay.budgetMs);
}
