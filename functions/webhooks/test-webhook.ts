// POST /webhooks/{id}/test: sends an endpoint a message to try it with, whatever it subscribes to.
import { type Context, containerContext } from '../../shared/context/context';
import { authorize } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { originOf } from '../../shared/http/origin';
import { type Reply, reply } from '../../shared/http/reply';
import { bearerToken, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { Delivery } from '../../shared/openapi/schemas';
import { authenticate } from '../../shared/sessions/authenticate';
import { sendTest } from '../../shared/webhook-delivery/request-delivery';

export const operation = {
  summary: 'Send a webhook a test',
  description:
    'A message of type `webhook.test`, whatever it subscribes to. What became of it is in the deliveries.',
  auth: 'bearer',
  permission: 'webhooks:write',
  replies: { 202: { description: 'The delivery, which is now due', body: Delivery } },
  errors: ['webhook_disabled'],
} satisfies Operation;

export async function testWebhook(request: Request, ctx: Context): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  authorize(caller, 'webhooks:write');
  return reply(202, await sendTest(ctx, request.params['id'] ?? '', originOf(request, caller)));
}

export const handler = endpoint(containerContext, testWebhook);
