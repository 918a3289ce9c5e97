import { setTimeout as wait } from 'node:timers/promises';
import type { BrokerConnection } from '../broker/connection';
import { type SendOutcome, within } from '../broker/send';
import { type ClaimedEvent, claimEvents, type FailedEvent, markPublished, putBack } from './outbox';
import { type BrokerContext, sendEvent } from './publisher';
import { declareTopology } from './topology';

const CONNECT_TIMEOUT_MS = 5_000;
/** Shorter than the lease of a claim, so that a batch is put back before another relay may take it. */
const BATCH_TIMEOUT_MS = 20_000;
const MAX_BACKOFF_MS = 5 * 60 * 1000;

export interface RelayReport {
  published: number;
  refused: number;
}

/**
 * Sends what the outbox holds until the budget is spent, then what comes in meanwhile. Safe to run several at once.
 * A broker that cannot be reached costs no event an attempt: the relay waits for it and claims nothing.
 */
export async function relayOutbox(
  ctx: BrokerContext,
  budgetMs: number,
  signal?: AbortSignal,
): Promise<RelayReport> {
  const end = performance.now() + budgetMs;
  const report: RelayReport = { published: 0, refused: 0 };
  let declaredOn: BrokerConnection | undefined;
  do {
    let idle = true;
    try {
      const connection = await ctx.broker.open(CONNECT_TIMEOUT_MS);
      if (declaredOn !== connection) {
        await declareTopology(connection.model, ctx.config.events, ctx.log);
        declaredOn = connection;
      }
      const claimed = connection.blocked ? [] : await claimEvents(ctx.db, ctx.config.relay.batchSize);
      if (claimed.length > 0) idle = await relayBatch(ctx, connection, claimed, report);
    } catch (error) {
      ctx.log.error('The relay cannot work right now and will try again', { error });
      ctx.broker.discard();
    }
    if (idle) await waitUntil(Math.min(end, performance.now() + ctx.config.relay.idleMs), signal);
  } while (performance.now() < end && !signal?.aborted);
  return report;
}

/** @returns whether to wait before the next one, because the connection broke or nothing could be sent */
async function relayBatch(
  ctx: BrokerContext,
  connection: BrokerConnection,
  claimed: ClaimedEvent[],
  report: RelayReport,
): Promise<boolean> {
  const published: string[] = [];
  const failed = new Map<string, FailedEvent>();
  let broken = false;

  const sendUser = async (events: ClaimedEvent[]) => {
    for (const { event, attempts } of events) {
      const outcome = await within(BATCH_TIMEOUT_MS, sendEvent(connection, ctx.config.events, event), LATE);
      if (outcome.kind === 'confirmed') {
        published.push(event.id);
        continue;
      }
      const refused = outcome.kind === 'refused';
      if (!refused) broken = true;
      failed.set(event.id, {
        id: event.id,
        subject: event.subject,
        error: outcome.reason,
        delayMs: refused ? backoffMs(attempts) : 0,
        attempt: refused ? 1 : 0,
      });
      return;
    }
  };
  await Promise.all([...bySubject(claimed).values()].map(sendUser));

  await markPublished(ctx.db, published);
  await putBack(ctx.db, [...failed.values()]);
  if (broken) ctx.broker.discard();
  const refused = [...failed.values()].filter((event) => event.attempt === 1);
  if (refused[0]) {
    ctx.log.warn('The broker refused events: they are tried again', {
      count: refused.length,
      reason: refused[0].error,
    });
  }
  report.published += published.length;
  report.refused += refused.length;
  return broken || published.length === 0;
}

const LATE: SendOutcome = { kind: 'unknown', reason: 'the broker did not confirm in time' };

function bySubject(claimed: ClaimedEvent[]): Map<string, ClaimedEvent[]> {
  const users = new Map<string, ClaimedEvent[]>();
  for (const item of claimed) {
    const events = users.get(item.event.subject);
    if (events) events.push(item);
    else users.set(item.event.subject, [item]);
  }
  return users;
}

/** 1 s, 2 s, 4 s … 5 min, each between half and the whole of it, so that what failed together comes back apart. */
function backoffMs(attempts: number): number {
  return Math.round(Math.min(MAX_BACKOFF_MS, 1000 * 2 ** Math.min(attempts, 20)) * (0.5 + Math.random() / 2));
}

async function waitUntil(time: number, signal: AbortSignal | undefined): Promise<void> {
  const ms = time - performance.now();
  if (ms <= 0) return;
  await wait(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal?.aborted) throw error;
  });
}
