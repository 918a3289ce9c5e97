import { setMaxListeners } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { BrokerConnection } from '../broker/connection';
import { ensureTopology } from '../broker/ensure-topology';
import { OutageLog } from '../broker/outage-log';
import { CONSUMER_NAMES, DEAD_LETTERS, type PolledQueue } from '../broker/topology';
import type { Config } from '../config';
import { noteProblem } from '../tasks/task-run-store';
import { CLOSE_TIMEOUT_MS, pollQueue } from './poll-queue';
import { CONFIRM_TIMEOUT_MS } from './settle';
import type { PollContext } from './types';

const CONNECT_TIMEOUT_MS = 5_000;
const RECONNECT_DELAY_MS = 1_000;

/**
 * Feeds every consumer's queue to its function until the budget is spent, and then ends what is in hand: after one call
 * of a function and the confirms of what that failed (`POLL_BUDGET_MS` and `endTimeoutMs` in all). Two runs at once are
 * safe: the queues have a single active consumer, so the later run waits for the earlier one's end. A broken connection is
 * opened again; what was in flight on it is delivered again. The connection stays open for the next run.
 */
export async function pollQueues(ctx: PollContext, budgetMs: number, signal?: AbortSignal): Promise<void> {
  const end = AbortSignal.timeout(budgetMs);
  const stop = signal ? AbortSignal.any([end, signal]) : end;
  const trouble = new OutageLog(
    ctx.log,
    'The poller cannot work right now and will try again',
    'The poller works again',
    (problem) => void noteProblem(ctx, 'poll-queues', problem),
  );
  let lastResort: NodeJS.Timeout | undefined;
  stop.addEventListener('abort', () => {
    // A broker that has fallen silent answers nothing, and nobody else would end the wait for it.
    lastResort = setTimeout(() => ctx.broker.discard(), endTimeoutMs(ctx.config.poll)).unref();
  });
  while (!stop.aborted) {
    try {
      await pollConnection(ctx, await ctx.broker.open(CONNECT_TIMEOUT_MS), stop, trouble);
    } catch (error) {
      trouble.failed(error);
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
  trouble: OutageLog,
): Promise<void> {
  await ensureTopology(connection, ctx.config.events, ctx.log);

  // One queue that fails ends the others too, each after the batch in its hands: all start again together.
  const failed = new AbortController();
  const either = AbortSignal.any([stop, failed.signal]);
  const queues: PolledQueue[] = [...CONSUMER_NAMES, DEAD_LETTERS];
  // Of each queue the consumer and its pause listen: that is no leak.
  setMaxListeners(2 * queues.length, either);
  let consumed = 0;
  const onConsuming = () => {
    if (++consumed === queues.length) trouble.recovered();
  };
  const polls = queues.map((polled) =>
    pollQueue(ctx, connection, polled, either, trouble, onConsuming).catch((error: unknown) => {
      failed.abort();
      throw error;
    }),
  );
  const results = await Promise.allSettled(polls);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
