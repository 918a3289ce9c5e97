import { recordAdminAction } from '../audit/record-admin-action';
import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { makeDeliveryDue } from '../webhooks/delivery-store';
import { getEnabledWebhook } from '../webhooks/get-webhook';
import type { Delivery } from '../webhooks/webhook';

/**
 * Sends a delivery again, regardless of its status.
 * @throws DomainError `not_found` or `webhook_disabled`
 */
export async function redeliverWebhook(
  ctx: Context,
  id: string,
  deliveryId: string,
  origin: Origin,
): Promise<Delivery> {
  const webhook = await getEnabledWebhook(ctx.db, id);
  return ctx.db.transaction().execute(async (tx) => {
    const delivery = await makeDeliveryDue(tx, webhook.id, deliveryId);
    if (!delivery) throw new DomainError('not_found', { detail: 'Delivery not found' });
    const details = { host: new URL(webhook.url).host, deliveryId: delivery.id, eventType: delivery.type };
    await recordAdminAction(tx, ctx, origin, { type: 'webhook.redelivered', subject: webhook.id, details });
    return delivery;
  });
}
