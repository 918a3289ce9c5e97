import { setMaxListeners } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { Broker, BrokerConnection } from '../broker/connection';
import { TroubleLog } from '../broker/trouble-log';
import type { Config } from '../config';
import type { Db } from '../db/connection';
import type { Invoke } from '../lambda/invoke';
import type { Log } from '../log';
import { ensureTopology } from './ensure-topology';
import { CLOSE_TIMEOUT_MS, pollQueue } from './queue-poller';
import { CONFIRM_TIMEOUT_MS } from './settle';
import { noteProblem } from './task-run-store';
import { CONSUMER_NAMES, DEAD_LETTERS, type PolledQueue } from './topology';

const CONNECT_TIMEOUT_MS = 5_000;
const RECONNECT_DELAY_MS = 1_000;

export interface PollContext {
  config: Config;
  /** Knows which events are on their way around, so that later ones of the same user wait. */
  db: Db;
  broker: Broker;
  invoke: Invoke;
  log: Log;
}

/**
 * Feeds every consumer's queue to its function until the budget is spent, and then ends what is in hand: after one call
 * of a function and the confirms of what that failed (`POLL_BUDGET_MS` and `endTimeoutMs` in all). Two runs at once are
 * safe: the queues have a single active consumer, so the later run waits for the earlier one's end. A broken connection is
 * opened again; what was in flight on it is delivered again. The connection stays open for the next run.
 */
export async function pollQueues(ctx: PollContext, budgetMs: number, signal?: AbortSignal): Promise<void> {
  const end = AbortSignal.timeout(budgetMs);
  const stop = signal ? AbortSignal.any([end, signal]) : end;
  const trouble = new TroubleLog(
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
  trouble: TroubleLog,
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
    if (++consumed === queues.length) trouble.works();
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
