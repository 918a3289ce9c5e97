// Every minute: sends the events that were not confirmed when they were written, and those that nobody sends inline.
import { outboxBacklog } from '../../shared/events/outbox';
import { publishingContext } from '../../shared/events/publisher';
import { type RelayReport, relayOutbox } from '../../shared/events/relay';
import { emitMetrics } from '../../shared/metrics';

export async function handler(): Promise<RelayReport> {
  const ctx = publishingContext();
  const report = await relayOutbox(ctx, ctx.config.relay.budgetMs);
  const { pending, oldestSeconds } = await outboxBacklog(ctx.db);
  emitMetrics(ctx.config.metrics, {
    RelayRuns: 1,
    EventsPublished: report.published,
    EventsRefused: report.refused,
    OutboxPending: pending,
    OutboxAgeSeconds: oldestSeconds,
  });
  return report;
}
