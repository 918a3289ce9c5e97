// GET /webhooks/{id}: one endpoint, without its secret.
import { type Context, containerContext } from '../../shared/context/context';
import { authorize } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { type Reply, recordReply } from '../../shared/http/reply';
import { bearerToken, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { Webhook } from '../../shared/openapi/schemas';
import { authenticate } from '../../shared/sessions/authenticate';
import { getWebhook } from '../../shared/webhooks/get-webhook';

export const operation = {
  summary: 'Read a webhook',
  auth: 'bearer',
  permission: 'webhooks:read',
  headers: ['if-none-match'],
  replies: { 200: { description: 'The webhook', body: Webhook, headers: ['etag'] } },
} satisfies Operation;

export async function getWebhookById(request: Request, ctx: Context): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  authorize(caller, 'webhooks:read');
  const webhook = await getWebhook(ctx.db, request.params['id'] ?? '');
  return recordReply(webhook, request.headers['if-none-match']);
}

export const handler = endpoint(containerContext, getWebhookById);
