import { OutageLog } from '../broker/outage-log';
import { DatabaseUnavailable } from '../db/unavailable';
import { pause } from '../pause';
import { attemptDelivery, type Outcome, type WebhookContext } from './attempt-delivery';
import { type ClaimedDelivery, claimDeliveries } from './claim-store';
import { recordAnswer, type Verdict } from './record-answer';

/** Beyond the time-out, for the outcome to be written; then another sender may take the delivery. */
const LEASE_MARGIN_MS = 60_000;

/** How long an outcome waits for a database that is away. What is not written by then is sent a second time. */
const WRITE_TIMEOUT_MS = 15_000;
const WRITE_PAUSE_MS = 1_000;

export type WebhookReport = Record<Verdict, number>;

/**
 * Sends what is due until the budget is spent, then what comes in meanwhile; at its end it waits for what is under way.
 * Safe to run several at once. Every endpoint has its own deliveries under way, at most so many, so a slow one takes
 * nothing from the others.
 */
export async function sendWebhooks(
  ctx: WebhookContext,
  budgetMs: number,
  signal?: AbortSignal,
): Promise<WebhookReport> {
  const { concurrency, endpointConcurrency, idleMs, timeoutMs } = ctx.config.webhooks;
  const end = performance.now() + budgetMs;
  const trouble = new OutageLog(
    ctx.log,
    'No deliveries can be claimed right now',
    'Deliveries are claimed again',
  );
  const report: WebhookReport = { succeeded: 0, retried: 0, failed: 0, lost: 0 };
  // Two lanes: however many endpoints hang, they hold up one another and none that works.
  const working = new Set<Promise<void>>();
  const failing = new Set<Promise<void>>();
  // One outcome is written after the other: many at once would wait for the container's one connection, longer than
  // its pool lets them.
  let written = Promise.resolve();
  let change = new AbortController();
  signal?.addEventListener('abort', () => change.abort(), { once: true });

  const start = (delivery: ClaimedDelivery) => {
    const lane = delivery.failing ? failing : working;
    const done = attemptDelivery(ctx, delivery)
      .then((outcome) => {
        written = written.then(() => write(ctx, delivery, outcome, report));
        return written;
      })
      .finally(() => {
        lane.delete(done);
        change.abort();
      });
    lane.add(done);
  };
  const claim = () => {
    const limits = {
      working: concurrency - working.size,
      failing: concurrency - failing.size,
      perEndpoint: endpointConcurrency,
    };
    return claimDeliveries(ctx.db, limits, timeoutMs + LEASE_MARGIN_MS);
  };

  do {
    // What ends from here on frees a place that this claim has not counted.
    change = new AbortController();
    let claimed: ClaimedDelivery[] = [];
    try {
      claimed = await claim();
      trouble.recovered();
    } catch (error) {
      trouble.failed(error);
    }
    for (const delivery of claimed) start(delivery);
    if (claimed.length > 0) continue;
    if (!signal?.aborted) await pause(Math.min(idleMs, end - performance.now()), change.signal);
  } while (performance.now() < end && !signal?.aborted);
  await Promise.all([...working, ...failing]);
  return report;
}

async function write(
  ctx: WebhookContext,
  delivery: ClaimedDelivery,
  outcome: Outcome,
  report: WebhookReport,
): Promise<void> {
  const { answer, durationMs: ms } = outcome;
  const { endpointId: webhookId, eventId, type: eventType, attempts: attempt } = delivery;
  const answered = answer.kind === 'answered' ? { status: answer.status } : { reason: answer.error };
  const fields = { webhookId, eventId, eventType, attempt, ms, ...answered };
  try {
    const verdict = await recordWhenPossible(ctx, delivery, outcome);
    report[verdict] += 1;
    ctx.log[verdict === 'failed' ? 'warn' : 'info']('A webhook delivery was tried', { ...fields, verdict });
  } catch (error) {
    // The claim runs out, and the endpoint may get the event a second time: it knows it by its id.
    ctx.log.error('The outcome of a webhook delivery could not be written', { ...fields, error });
  }
}

/** Writing an outcome again is safe: the claim has ended with the first one. */
async function recordWhenPossible(
  ctx: WebhookContext,
  delivery: ClaimedDelivery,
  outcome: Outcome,
): Promise<Verdict> {
  const end = performance.now() + WRITE_TIMEOUT_MS;
  for (;;) {
    try {
      return await recordAnswer(ctx, delivery, outcome);
    } catch (error) {
      if (!(error instanceof DatabaseUnavailable) || performance.now() + WRITE_PAUSE_MS > end) throw error;
      await pause(WRITE_PAUSE_MS);
    }
  }
}
