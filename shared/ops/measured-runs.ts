import type { Context } from '../context/context';
import { type FollowUpReport, followUpErasures } from '../erasure/follow-up-erasures';
import { runReplays } from '../event-operations/run-replays';
import { followUpExports } from '../exports/follow-up-exports';
import { countBacklog } from '../outbox/dispatch-store';
import type { BrokerContext } from '../outbox/publisher';
import { type RelayReport, relayOutbox } from '../outbox/relay';
import { countDeliveries } from '../poller/count-deliveries';
import { pollQueues } from '../poller/poll-queues';
import type { PollContext } from '../poller/types';
import { emitMetrics } from '../tasks/metrics';
import { recordRun } from '../tasks/task-run-store';
import { restoreDueUsers } from '../users/restore-due-users';

/**
 * A run of the relay with the steps of replays and the end of suspensions, and what it leaves behind, in numbers. The alarms
 * are about those.
 */
export async function measuredRelay(
  ctx: BrokerContext,
  budgetMs: number,
  signal?: AbortSignal,
): Promise<RelayReport> {
  await recordRun(ctx.db, 'relay-outbox');
  const [report] = await Promise.all([
    relayOutbox(ctx, budgetMs, signal),
    runReplays(ctx, budgetMs, signal),
    restoreUsers(ctx),
  ]);
  const { pending, oldestSeconds } = await countBacklog(ctx.db);
  emitMetrics(ctx.config.metrics, {
    RelayRuns: 1,
    EventsPublished: report.published,
    EventsRefused: report.refused,
    OutboxPending: pending,
    OutboxAgeSeconds: oldestSeconds,
  });
  return report;
}

async function restoreUsers(ctx: Context): Promise<void> {
  try {
    await restoreDueUsers(ctx);
  } catch (error) {
    // Events are sent all the same.
    ctx.log.error('Suspensions that have ended cannot be removed right now: the next run tries again', {
      error,
    });
  }
}

/** A run of the poller, likewise. */
export async function measuredPoll(ctx: PollContext, budgetMs: number, signal?: AbortSignal): Promise<void> {
  await recordRun(ctx.db, 'poll-queues');
  const { invoke, counts } = countDeliveries(ctx.invoke);
  await pollQueues({ ...ctx, invoke }, budgetMs, signal);
  emitMetrics(ctx.config.metrics, {
    PollerRuns: 1,
    EventsHandled: counts.handled,
    EventsFailed: counts.failed,
    EventsDeadLettered: counts.deadLettered,
  });
}

/** A run of what follows up erasures and exports, likewise. */
export async function measuredFollowUp(
  ctx: Context,
  budgetMs: number,
  signal?: AbortSignal,
): Promise<FollowUpReport> {
  // First: people wait for them, and it takes a moment.
  await followUpExports(ctx, budgetMs / 2, signal);
  const report = await followUpErasures(ctx, budgetMs / 2, signal);
  emitMetrics(ctx.config.metrics, { OverdueErasures: report.overdue });
  return report;
}
