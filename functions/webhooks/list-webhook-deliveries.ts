// GET /webhooks/{id}/deliveries: what was sent to an endpoint, what it answered, and what is still to be sent.
import * as v from 'valibot';
import { type Context, containerContext } from '../../shared/context/context';
import { authorize } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { Cursor, Limit, pageOf } from '../../shared/http/page';
import { type Reply, reply } from '../../shared/http/reply';
import { bearerToken, exactly, parseQuery, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { DeliveryList } from '../../shared/openapi/schemas';
import { authenticate } from '../../shared/sessions/authenticate';
import { listDeliveries } from '../../shared/webhooks/delivery-store';
import { WebhookId } from '../../shared/webhooks/fields';
import { getWebhook } from '../../shared/webhooks/get-webhook';

const Query = exactly({
  status: v.optional(v.picklist(['pending', 'succeeded', 'failed'], 'must be pending, succeeded or failed')),
  limit: Limit,
  cursor: Cursor(WebhookId),
});

export const operation = {
  summary: 'List what was sent to a webhook, or is to be',
  auth: 'bearer',
  permission: 'webhooks:read',
  query: Query,
  replies: { 200: { description: 'A page of deliveries, the newest event first', body: DeliveryList } },
} satisfies Operation;

export async function listWebhookDeliveries(request: Request, ctx: Context): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  authorize(caller, 'webhooks:read');
  const { status, limit, cursor } = parseQuery(request, Query);
  const { id } = await getWebhook(ctx.db, request.params['id'] ?? '');
  const deliveries = await listDeliveries(ctx.db, id, status, limit + 1, cursor);
  const page = pageOf(deliveries, limit, (delivery) => delivery.id);
  return reply(200, { deliveries: page.items, nextCursor: page.nextCursor });
}

export const handler = endpoint(containerContext, listWebhookDeliveries);
