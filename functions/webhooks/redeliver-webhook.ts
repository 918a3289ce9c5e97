// POST /webhooks/{id}/deliveries/{deliveryId}/redeliver: sends a delivery again.
import { containerContext } from '../../shared/context/context';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { path } from '../../shared/http/parts';
import { Id } from '../../shared/http/path';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { Delivery } from '../../shared/openapi/schemas';
import { redeliverWebhook } from '../../shared/webhook-delivery/redeliver-webhook';

export const documentation = {
  summary: 'Send a delivery again',
  description: 'Regardless of its status, with the full retry schedule.',
  replies: { 202: { description: 'The delivery, now due', body: Delivery } },
  errors: ['webhook_disabled'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('webhooks:write'),
  path: path({ id: Id, deliveryId: Id }),
  handle: async ({ ctx, path, origin }) =>
    reply(202, await redeliverWebhook(ctx, path.id, path.deliveryId, origin)),
});
