import { setTimeout as wait } from 'node:timers/promises';
import { attemptDelivery, type Outcome, type WebhookContext } from './attempt-delivery';
import { type ClaimedDelivery, claimDeliveries } from './claim-store';
import { recordAnswer, type Verdict } from './record-answer';

/** Beyond the time-out, for the outcome to be written; then another sender may take the delivery. */
const LEASE_MARGIN_MS = 60_000;

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
    } catch (error) {
      ctx.log.error('No deliveries can be claimed right now', { error });
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
    const verdict = await recordAnswer(ctx, delivery, outcome);
    report[verdict] += 1;
    ctx.log[verdict === 'failed' ? 'warn' : 'info']('A webhook delivery was tried', { ...fields, verdict });
  } catch (error) {
    // The claim runs out, and the endpoint may get the event a second time: it knows it by its id.
    ctx.log.error('The outcome of a webhook delivery could not be written', { ...fields, error });
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await wait(Math.max(0, ms), undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
