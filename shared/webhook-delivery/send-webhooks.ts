import { OutageLog } from '../broker/outage-log';
import { DatabaseUnavailable } from '../db/unavailable';
import { pause } from '../pause';
import { attemptDelivery, type Outcome, type WebhookContext } from './attempt-delivery';
import { type ClaimedDelivery, claimDeliveries } from './claim-store';
import { recordAttempt, type Verdict } from './record-attempt';

/** Added to the timeout for writing the outcome; after that, another sender may claim the delivery. */
const LEASE_MARGIN_MS = 60_000;

/** How long to retry writing an outcome while the database is unavailable. After that, the delivery is sent again. */
const WRITE_TIMEOUT_MS = 15_000;
const WRITE_PAUSE_MS = 1_000;

export type WebhookReport = Record<Verdict, number>;

/**
 * Sends due deliveries until the budget is spent, then waits for those in progress. Safe to run concurrently. The number
 * of concurrent deliveries per webhook is limited, so a slow one does not block the others.
 */
export async function sendWebhooks(
  ctx: WebhookContext,
  budgetMs: number,
  signal?: AbortSignal,
): Promise<WebhookReport> {
  const { concurrency, endpointConcurrency, idleMs, timeoutMs } = ctx.config.webhooks;
  const end = performance.now() + budgetMs;
  const outageLog = new OutageLog(
    ctx.log,
    'Webhook deliveries cannot be claimed',
    'Webhook deliveries can be claimed again',
  );
  const report: WebhookReport = { succeeded: 0, retried: 0, failed: 0, lost: 0 };
  // Two lanes, so that hanging webhooks do not block healthy ones.
  const working = new Set<Promise<void>>();
  const failing = new Set<Promise<void>>();
  // Outcomes are written one after another: concurrent writes would exceed the wait for the pool's single connection.
  let written = Promise.resolve();
  let change = new AbortController();
  const wake = () => change.abort();
  signal?.addEventListener('abort', wake, { once: true });

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

  try {
    do {
      // Deliveries that end from here on free a slot that this claim has not counted.
      change = new AbortController();
      let claimed: ClaimedDelivery[] = [];
      try {
        claimed = await claim();
        outageLog.recovered();
      } catch (error) {
        outageLog.failed(error);
      }
      for (const delivery of claimed) start(delivery);
      if (claimed.length > 0) continue;
      if (!signal?.aborted) await pause(Math.min(idleMs, end - performance.now()), change.signal);
    } while (performance.now() < end && !signal?.aborted);
  } finally {
    // In `serve` the signal lives as long as the process, and there is a run every minute.
    signal?.removeEventListener('abort', wake);
  }
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
    ctx.log[verdict === 'failed' ? 'warn' : 'info']('A webhook delivery was attempted', {
      ...fields,
      verdict,
    });
  } catch (error) {
    // The claim expires and the endpoint may get the event again, with the same `webhook-id`.
    ctx.log.error('The outcome of a webhook delivery could not be written', { ...fields, error });
  }
}

/** Retries are safe: the first write ends the claim, so a second one changes nothing. */
async function recordWhenPossible(
  ctx: WebhookContext,
  delivery: ClaimedDelivery,
  outcome: Outcome,
): Promise<Verdict> {
  const end = performance.now() + WRITE_TIMEOUT_MS;
  for (;;) {
    try {
      return await recordAttempt(ctx, delivery, outcome);
    } catch (error) {
      if (!(error instanceof DatabaseUnavailable) || performance.now() + WRITE_PAUSE_MS > end) throw error;
      await pause(WRITE_PAUSE_MS);
    }
  }
}
