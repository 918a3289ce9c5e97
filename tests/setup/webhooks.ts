import { sql } from 'kysely';
import { webhooks } from '../../functions/consumers/webhooks';
import type { UserEvent } from '../../shared/events/catalog';
import { NOBODY } from '../../shared/events/origin';
import type { WebhookContext } from '../../shared/webhook-delivery/attempt-delivery';
import type { WebhookReport } from '../../shared/webhook-delivery/outcome-writer';
import { sendWebhooks } from '../../shared/webhook-delivery/send-webhooks';
import { createWebhook, type WebhookWithSecret } from '../../shared/webhooks/create-webhook';
import { listDeliveries } from '../../shared/webhooks/delivery-store';
import { resolveHost } from '../../shared/webhooks/resolve-host';
import type { Delivery, WebhookSettings } from '../../shared/webhooks/webhook';
import { consume } from './consume';
import { type TestContext, testContext } from './context';
import { storedEvents } from './events';
import { fillOutbox } from './outbox';
import { type Receiver, startReceiver } from './receiver';

export interface WebhookTestContext extends TestContext, WebhookContext {
  /** Starts a receiver, which ends with the context. */
  receiver(answer?: Receiver['answer']): Promise<Receiver>;
}

/** As `testContext`, with receivers on this machine allowed. */
export async function webhookContext(environment: Record<string, string> = {}): Promise<WebhookTestContext> {
  const ctx = await testContext({
    WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
    WEBHOOK_IDLE_MS: '5',
    ...environment,
  });
  const receivers: Receiver[] = [];
  return {
    ...ctx,
    resolveHost,
    receiver: async (answer) => {
      const receiver = await startReceiver(answer);
      receivers.push(receiver);
      return receiver;
    },
    close: async () => {
      await Promise.all(receivers.map((receiver) => receiver.stop()));
      await ctx.close();
    },
  };
}

/** An endpoint for every event, at this URL. */
export function subscribe(
  ctx: TestContext,
  url: string,
  settings: Partial<WebhookSettings> = {},
): Promise<WebhookWithSecret> {
  return createWebhook(
    ctx,
    {
      url,
      eventTypes: ['*'],
      description: null,
      retryDelaysSeconds: null,
      enabled: true,
      ...settings,
    },
    NOBODY,
  );
}

/** So many new events, handed to the consumer. */
export async function newEvents(ctx: TestContext, count: number): Promise<UserEvent[]> {
  const subjects = await fillOutbox(ctx, count);
  const events = (await storedEvents(ctx)).filter(({ subject }) => subjects.includes(subject));
  await consume(
    webhooks(() => ctx),
    events,
  );
  return events;
}

/** One claim, and what comes of it. */
export function sendOnce(ctx: WebhookContext): Promise<WebhookReport> {
  return sendWebhooks(ctx, 0);
}

/** Runs senders until it is so. */
export async function sendUntil(
  ctx: WebhookContext,
  isDone: () => boolean | Promise<boolean>,
  senders = 1,
): Promise<WebhookReport[]> {
  const stop = new AbortController();
  const runs = Array.from({ length: senders }, () => sendWebhooks(ctx, 60_000, stop.signal));
  while (!(await isDone())) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  return Promise.all(runs);
}

/** Makes everything that waits due now: the time that passes, passed. */
export async function makeDeliveriesDue({ db }: TestContext): Promise<void> {
  await sql`
    update webhook_deliveries set next_attempt_at = now(), claimed_until = null
    where status = 'pending'`.execute(db);
  await sql`update webhook_endpoints set paused_until = null`.execute(db);
}

export function deliveriesOf(ctx: TestContext, { id }: { id: string }): Promise<Delivery[]> {
  return listDeliveries(ctx.db, id, undefined, 10_000, undefined);
}
