import { setTimeout as wait } from 'node:timers/promises';
import { attemptDelivery, type WebhookContext } from './attempt-delivery';
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
  let change = new AbortController();
  signal?.addEventListener('abort', () => change.abort(), { once: true });

  const start = (delivery: ClaimedDelivery) => {
    const lane = delivery.failing ? failing : working;
    const done = sendOne(ctx, delivery, report).finally(() => {
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

async function sendOne(ctx: WebhookContext, delivery: ClaimedDelivery, report: WebhookReport): Promise<void> {
  const startedAt = ctx.now();
  const from = performance.now();
  const answer = await attemptDelivery(ctx, delivery);
  const durationMs = Math.round(performance.now() - from);
  const { endpointId, eventId, type, attempts } = delivery;
  const fields = { webhookId: endpointId, eventId, eventType: type, attempt: attempts, ms: durationMs };
  try {
    const verdict = await recordAnswer(ctx, delivery, answer, durationMs, startedAt);
    report[verdict] += 1;
    const level = verdict === 'failed' ? 'warn' : 'info';
    const reason = answer.kind === 'answered' ? { status: answer.status } : { reason: answer.error };
    ctx.log[level]('A webhook delivery was tried', { ...fields, verdict, ...reason });
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
