import { OutageLog } from '../broker/outage-log';
import { pause } from '../pause';
import { attemptDelivery, type WebhookContext } from './attempt-delivery';
import { type ClaimedDelivery, claimDeliveries } from './claim-store';
import { OutcomeWriter, type WebhookReport } from './outcome-writer';

/** Added to the timeout for writing the outcome; after that, another sender may claim the delivery. */
const LEASE_MARGIN_MS = 60_000;

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
  const writer = new OutcomeWriter(ctx);
  // Two lanes, so that hanging webhooks do not block healthy ones.
  const working = new Set<Promise<void>>();
  const failing = new Set<Promise<void>>();
  let change = new AbortController();
  const wake = () => change.abort();
  signal?.addEventListener('abort', wake, { once: true });

  const start = (delivery: ClaimedDelivery) => {
    const lane = delivery.failing ? failing : working;
    const done = attemptDelivery(ctx, delivery)
      .then((outcome) => writer.write(delivery, outcome))
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
  return writer.report;
}
