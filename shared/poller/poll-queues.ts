import { setMaxListeners } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { BrokerConnection } from '../broker/connection';
import { ensureTopology } from '../broker/ensure-topology';
import { OutageLog } from '../broker/outage-log';
import { POLLED_QUEUES } from '../broker/topology';
import type { Config } from '../config';
import { recordProblem } from '../tasks/task-run-store';
import { CLOSE_TIMEOUT_MS, pollQueue } from './poll-queue';
import { CONFIRM_TIMEOUT_MS } from './settle';
import type { PollContext } from './types';

const CONNECT_TIMEOUT_MS = 5_000;
const RECONNECT_DELAY_MS = 1_000;

/**
 * Delivers the messages of every queue to its consumer function until the budget is spent, then finishes the current calls
 * and their confirms (at most `POLL_BUDGET_MS` plus `endTimeoutMs`). Concurrent runs are safe: the queues have a single
 * active consumer, so a later run waits for the earlier one to end. Reopens a broken connection, on which the broker
 * redelivers unacknowledged messages. The connection stays open for the next run.
 */
export async function pollQueues(ctx: PollContext, budgetMs: number, signal?: AbortSignal): Promise<void> {
  const end = AbortSignal.timeout(budgetMs);
  const stop = signal ? AbortSignal.any([end, signal]) : end;
  const outageLog = new OutageLog(
    ctx.log,
    'The poller cannot work and will retry',
    'The poller works again',
    (problem) => recordProblem(ctx, 'poll-queues', problem),
  );
  let lastResort: NodeJS.Timeout | undefined;
  stop.addEventListener(
    'abort',
    () => {
      // Ends the wait for a broker that has become silent.
      lastResort = setTimeout(() => ctx.broker.discard(), endTimeoutMs(ctx.config.poll)).unref();
    },
    // Node.js keeps a combined signal for as long as it has a listener.
    { once: true },
  );
  while (!stop.aborted) {
    try {
      await pollConnection(ctx, await ctx.broker.open(CONNECT_TIMEOUT_MS), stop, outageLog);
    } catch (error) {
      outageLog.failed(error);
      ctx.broker.discard();
      await wait(RECONNECT_DELAY_MS, undefined, { signal: stop }).catch(() => {});
    }
  }
  clearTimeout(lastResort);
}

/** How much longer than its budget a run may take. */
export function endTimeoutMs({ callTimeoutMs }: Pick<Config['poll'], 'callTimeoutMs'>): number {
  return callTimeoutMs + CONFIRM_TIMEOUT_MS + CLOSE_TIMEOUT_MS;
}

async function pollConnection(
  ctx: PollContext,
  connection: BrokerConnection,
  stop: AbortSignal,
  outageLog: OutageLog,
): Promise<void> {
  await ensureTopology(connection, ctx.config.events, ctx.log);

  // If one queue fails, the others stop after their current batch, and all restart together.
  const failed = new AbortController();
  const either = AbortSignal.any([stop, failed.signal]);
  // Two listeners per queue, its consumer and its pause: not a leak.
  setMaxListeners(2 * POLLED_QUEUES.length, either);
  let consumed = 0;
  const onConsuming = () => {
    if (++consumed === POLLED_QUEUES.length) outageLog.recovered();
  };
  const polls = POLLED_QUEUES.map((polled) =>
    pollQueue(ctx, connection, polled, either, outageLog, onConsuming).catch((error: unknown) => {
      failed.abort();
      throw error;
    }),
  );
  const results = await Promise.allSettled(polls);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
