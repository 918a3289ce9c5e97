import type { BrokerConnection } from '../broker/connection';
import { ensureTopology, forgetTopology } from '../broker/ensure-topology';
import { OutageLog } from '../broker/outage-log';
import { RETURNED, type SendOutcome } from '../broker/send';
import { pause } from '../pause';
import { recordProblem } from '../tasks/task-run-store';
import { within } from '../within';
import {
  type ClaimCursor,
  type ClaimedEvent,
  claimEvents,
  confirmSent,
  type FailedEvent,
  putBack,
} from './dispatch-store';
import type { BrokerContext } from './publisher';
import { createEventSender, sendToQueue } from './send-event';

const CONNECT_TIMEOUT_MS = 5_000;
/** Shorter than the lease of a claim, so that a batch is put back before another relay may take it. */
export const BATCH_TIMEOUT_MS = 20_000;
const MAX_BACKOFF_MS = 5 * 60 * 1000;
/** While the broker takes one batch, the database marks another and claims the next. */
const BATCHES_AT_ONCE = 2;

/** How long claims may pass over what has become due again behind them, such as what a relay that died had claimed. */
const RESCAN_MS = 5_000;

export interface RelayReport {
  published: number;
  refused: number;
}

/**
 * Sends what is in `dispatch` until the budget is spent, then what comes in meanwhile: new events, replayed and redriven
 * ones. Safe to run several at once. A broker that cannot be reached costs no event an attempt: the relay waits for it
 * and claims nothing.
 */
export async function relayOutbox(
  ctx: BrokerContext,
  budgetMs: number,
  signal?: AbortSignal,
): Promise<RelayReport> {
  const end = performance.now() + budgetMs;
  const report: RelayReport = { published: 0, refused: 0 };
  const outage = new OutageLog(
    ctx.log,
    'The relay cannot work and will retry',
    'The relay sends again',
    (problem) => recordProblem(ctx, 'relay-outbox', problem),
  );
  const sendEvent = createEventSender(ctx.config.events);
  const run: Run = {
    ctx,
    report,
    outage,
    send: (connection, { event, queue }) =>
      queue === null
        ? sendEvent(connection, event)
        : sendToQueue(connection, ctx.config.events, event, queue),
  };

  let next: ClaimCursor | null = null;
  let scannedAt = Number.NEGATIVE_INFINITY;
  async function claim(): Promise<ClaimedEvent[]> {
    const isFromStart = next === null || performance.now() - scannedAt > RESCAN_MS;
    if (isFromStart) scannedAt = performance.now();
    const claimed = await claimEvents(ctx.db, ctx.config.relay.batchSize, isFromStart ? null : next);
    next = claimed.next;
    return claimed.events;
  }

  async function connect(): Promise<BrokerConnection> {
    const connection = await ctx.broker.open(CONNECT_TIMEOUT_MS);
    await ensureTopology(connection, ctx.config.events, ctx.log);
    return connection;
  }

  /** Those that help with a backlog. Without one, a second claim would cost as much as the first and find nothing. */
  const helpers = new Set<Promise<void>>();

  async function work(isHelper: boolean): Promise<void> {
    do {
      let idle = true;
      try {
        const connection = await connect();
        if (connection.blocked) outage.failed(connection.blocked);
        const claimed = connection.blocked ? [] : await claim();
        if (next !== null && helpers.size < BATCHES_AT_ONCE - 1) {
          const helper = work(true).finally(() => helpers.delete(helper));
          helpers.add(helper);
        }
        if (claimed.length > 0) idle = await relayBatch(run, connection, claimed);
      } catch (error) {
        outage.failed(error);
        ctx.broker.discard();
      }
      if (idle && isHelper) return;
      if (idle) await pause(Math.min(ctx.config.relay.idleMs, end - performance.now()), signal);
    } while (performance.now() < end && !signal?.aborted);
  }

  await work(false);
  await Promise.all(helpers);
  return report;
}

interface Run {
  ctx: BrokerContext;
  report: RelayReport;
  outage: OutageLog;
  send(connection: BrokerConnection, item: ClaimedEvent): Promise<SendOutcome>;
}

/** @returns whether to wait before the next one, because the connection broke or nothing could be sent */
async function relayBatch(
  { ctx, report, outage, send }: Run,
  connection: BrokerConnection,
  claimed: ClaimedEvent[],
): Promise<boolean> {
  const outcomes = new Map<ClaimedEvent, SendOutcome>();
  let over = false;
  const sendInOrder = async (events: ClaimedEvent[]) => {
    for (const item of events) {
      const outcome = await send(connection, item);
      if (over) return;
      outcomes.set(item, outcome);
      if (outcome.kind !== 'confirmed') return;
    }
  };
  const lanes = lanesOf(claimed);
  await within(BATCH_TIMEOUT_MS, Promise.all(lanes.map(sendInOrder)), undefined);
  over = true;

  const sent: string[] = [];
  const failed: FailedEvent[] = [];
  for (const lane of lanes) {
    for (const item of lane) {
      const outcome = outcomes.get(item) ?? LATE;
      if (outcome.kind !== 'confirmed') {
        failed.push(failure(item, outcome));
        break;
      }
      sent.push(item.position);
    }
  }
  await confirmSent(ctx.db, sent);
  await putBack(ctx.db, failed);

  const refused = failed.filter((item) => item.attempt === 1);
  // A binding may be missing if the broker could not route an event.
  if (refused.some(({ error }) => error.includes(RETURNED))) forgetTopology(connection);
  const broken = refused.length < failed.length;
  if (broken) {
    const late = failed.find((item) => item.attempt === 0);
    outage.failed(connection.closed ?? connection.blocked ?? new Error(late?.error));
    ctx.broker.discard();
  } else if (sent.length > 0) outage.recovered();
  for (const { error } of refused) {
    const message = 'The broker refused an event: it is tried again';
    if (outage.logOnce('warn', message, { reason: error })) {
      void recordProblem(ctx, 'relay-outbox', `${message}. ${error}`);
    }
  }
  report.published += sent.length;
  report.refused += refused.length;
  return broken || sent.length === 0;
}

const LATE: SendOutcome = { kind: 'unknown', reason: 'the broker did not confirm in time' };

function failure(
  { position, event, queue, attempts }: ClaimedEvent,
  outcome: SendOutcome & { reason: string },
) {
  const refused = outcome.kind === 'refused';
  return {
    position,
    subject: event.subject,
    queue,
    error: outcome.reason,
    delayMs: refused ? backoffMs(attempts) : 0,
    attempt: refused ? (1 as const) : (0 as const),
  };
}

/** Events that have to be sent one after the other: those of one user, to everyone or to one queue. */
function lanesOf(claimed: ClaimedEvent[]): ClaimedEvent[][] {
  const lanes = new Map<string, ClaimedEvent[]>();
  for (const item of claimed) {
    const key = `${item.event.subject} ${item.queue ?? ''}`;
    const lane = lanes.get(key);
    if (lane) lane.push(item);
    else lanes.set(key, [item]);
  }
  return [...lanes.values()];
}

/** 1 s, 2 s, 4 s … 5 min, each between half and the whole of it, so that events that failed together are not retried together. */
function backoffMs(attempts: number): number {
  return Math.round(Math.min(MAX_BACKOFF_MS, 1000 * 2 ** Math.min(attempts, 20)) * (0.5 + Math.random() / 2));
}
