import { recordAdminAction } from '../audit/record-admin-action';
import type { Context } from '../context/context';
import type { Origin } from '../events/origin';
import { addDelivery } from '../webhooks/delivery-store';
import { getEnabledWebhook } from '../webhooks/get-webhook';
import { type Delivery, TEST_TYPE } from '../webhooks/webhook';

/** Sends a test message. @throws DomainError `not_found` or `webhook_disabled` */
export async function testWebhook(ctx: Context, id: string, origin: Origin): Promise<Delivery> {
  const webhook = await getEnabledWebhook(ctx.db, id);
  return ctx.db.transaction().execute(async (tx) => {
    const delivery = await addDelivery(tx, webhook.id, ctx.newId(), TEST_TYPE);
    const details = { host: new URL(webhook.url).host, deliveryId: delivery.id };
    await recordAdminAction(tx, ctx, origin, { type: 'webhook.tested', subject: webhook.id, details });
    return delivery;
  });
}
