// DELETE /webhooks/{id}: an endpoint and its deliveries.
import { type Context, containerContext } from '../../shared/context/context';
import { authorize } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { readIfMatch } from '../../shared/http/if-match';
import { originOf } from '../../shared/http/origin';
import { type Reply, reply } from '../../shared/http/reply';
import { bearerToken, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { authenticate } from '../../shared/sessions/authenticate';
import { deleteWebhook } from '../../shared/webhooks/delete-webhook';

export const operation = {
  summary: 'Delete a webhook and its deliveries',
  auth: 'bearer',
  permission: 'webhooks:write',
  headers: ['if-match'],
  replies: { 204: { description: 'It is gone' } },
} satisfies Operation;

export async function deleteWebhookById(request: Request, ctx: Context): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  authorize(caller, 'webhooks:write');
  await deleteWebhook(ctx, request.params['id'] ?? '', readIfMatch(request), originOf(request, caller));
  return reply(204);
}

export const handler = endpoint(containerContext, deleteWebhookById);
