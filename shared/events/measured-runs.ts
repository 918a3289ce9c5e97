import { emitMetrics } from '../metrics';
import { countDeliveries } from './count-deliveries';
import { outboxBacklog } from './outbox';
import { type PollContext, pollQueues } from './poller';
import type { BrokerContext } from './publisher';
import { type RelayReport, relayOutbox } from './relay';
import { noteRun } from './task-run-store';

/** A run of the relay, and what it leaves behind, in numbers. The alarms are about those. */
export async function measuredRelay(
  ctx: BrokerContext,
  budgetMs: number,
  signal?: AbortSignal,
): Promise<RelayReport> {
  await noteRun(ctx.db, 'relay-outbox');
  const report = await relayOutbox(ctx, budgetMs, signal);
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

/** A run of the poller, likewise. */
export async function measuredPoll(ctx: PollContext, budgetMs: number, signal?: AbortSignal): Promise<void> {
  await noteRun(ctx.db, 'poll-queues');
  const { invoke, counts } = countDeliveries(ctx.invoke);
  await pollQueues({ ...ctx, invoke }, budgetMs, signal);
  emitMetrics(ctx.config.metrics, {
    PollerRuns: 1,
    EventsHandled: counts.handled,
    EventsFailed: counts.failed,
    EventsDeadLettered: counts.deadLettered,
  });
}
