// GET /webhooks/{id}/deliveries: pending, succeeded and failed deliveries, with the endpoint's responses.
import * as v from 'valibot';
import { containerContext } from '../../shared/context/context';
import { exactly } from '../../shared/exactly';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { Cursor, Limit, pageOf } from '../../shared/http/page';
import { path, query } from '../../shared/http/parts';
import { Id } from '../../shared/http/path';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { DeliveryList } from '../../shared/openapi/schemas';
import { listDeliveries } from '../../shared/webhooks/delivery-store';
import { WebhookId } from '../../shared/webhooks/fields';
import { getWebhook } from '../../shared/webhooks/get-webhook';

const Query = exactly({
  status: v.optional(v.picklist(['pending', 'succeeded', 'failed'], 'must be pending, succeeded or failed')),
  limit: Limit,
  cursor: Cursor(WebhookId),
});

export const documentation = {
  summary: "List a webhook's deliveries",
  replies: { 200: { description: 'A page of deliveries, newest event first', body: DeliveryList } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('webhooks:read'),
  path: path({ id: Id }),
  query: query(Query),
  handle: async ({ ctx, path, query }) => {
    const { status, limit, cursor } = query;
    const { id } = await getWebhook(ctx.db, path.id);
    const deliveries = await listDeliveries(ctx.db, id, status, limit + 1, cursor);
    const page = pageOf(deliveries, limit, (delivery) => delivery.id);
    return reply(200, { deliveries: page.items, nextCursor: page.nextCursor });
  },
});
