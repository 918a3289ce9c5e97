// POST /webhooks/{id}/deliveries/{deliveryId}/redeliver: sends an event to an endpoint once more.
import { type Context, containerContext } from '../../shared/context/context';
import { authorize } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { originOf } from '../../shared/http/origin';
import { type Reply, reply } from '../../shared/http/reply';
import { bearerToken, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { Delivery } from '../../shared/openapi/schemas';
import { authenticate } from '../../shared/sessions/authenticate';
import { redeliver } from '../../shared/webhook-delivery/request-delivery';

export const operation = {
  summary: 'Send an event to a webhook once more',
  description: 'Whatever became of it before; with the whole schedule of retries.',
  auth: 'bearer',
  permission: 'webhooks:write',
  replies: { 202: { description: 'The delivery, which is now due', body: Delivery } },
  errors: ['webhook_disabled'],
} satisfies Operation;

export async function redeliverWebhook(request: Request, ctx: Context): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  authorize(caller, 'webhooks:write');
  const { id = '', deliveryId = '' } = request.params;
  return reply(202, await redeliver(ctx, id, deliveryId, originOf(request, caller)));
}

export const handler = endpoint(containerContext, redeliverWebhook);
