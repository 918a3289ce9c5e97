import { recordAct } from '../audit/record-act';
import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { addDelivery, makeDeliveryDue } from '../webhooks/delivery-store';
import { getWebhook } from '../webhooks/get-webhook';
import { type Delivery, TEST_TYPE, type Webhook } from '../webhooks/webhook';

/**
 * Sends a delivery again, regardless of its status.
 * @throws DomainError `not_found` or `webhook_disabled`
 */
export async function redeliver(
  ctx: Context,
  id: string,
  deliveryId: string,
  origin: Origin,
): Promise<Delivery> {
  const webhook = await getEnabledWebhook(ctx, id);
  return ctx.db.transaction().execute(async (tx) => {
    const delivery = await makeDeliveryDue(tx, webhook.id, deliveryId);
    if (!delivery) throw new DomainError('not_found', { detail: 'Delivery not found' });
    const details = { host: new URL(webhook.url).host, deliveryId: delivery.id, eventType: delivery.type };
    await recordAct(tx, ctx, origin, { type: 'webhook.redelivered', subject: webhook.id, details });
    return delivery;
  });
}

/** Sends a test message. @throws DomainError `not_found` or `webhook_disabled` */
export async function sendTest(ctx: Context, id: string, origin: Origin): Promise<Delivery> {
  const webhook = await getEnabledWebhook(ctx, id);
  return ctx.db.transaction().execute(async (tx) => {
    const delivery = await addDelivery(tx, webhook.id, ctx.newId(), TEST_TYPE);
    const details = { host: new URL(webhook.url).host, deliveryId: delivery.id };
    await recordAct(tx, ctx, origin, { type: 'webhook.tested', subject: webhook.id, details });
    return delivery;
  });
}

async function getEnabledWebhook(ctx: Context, id: string): Promise<Webhook> {
  const webhook = await getWebhook(ctx.db, id);
  if (!webhook.enabled) throw new DomainError('webhook_disabled', { detail: 'Enable the webhook first' });
  return webhook;
}
