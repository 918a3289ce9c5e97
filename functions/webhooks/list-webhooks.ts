// GET /webhooks: the webhooks, newest first.
import { containerContext } from '../../shared/context/context';
import { exactly } from '../../shared/exactly';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { Cursor, Limit, pageOf } from '../../shared/http/page';
import { query } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { WebhookList } from '../../shared/openapi/schemas';
import { WebhookId } from '../../shared/webhooks/fields';
import { listWebhooks } from '../../shared/webhooks/webhook-store';

const Query = exactly({ limit: Limit, cursor: Cursor(WebhookId) });

export const documentation = {
  summary: 'List webhooks',
  replies: { 200: { description: 'A page of webhooks, newest first', body: WebhookList } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('webhooks:read'),
  query: query(Query),
  handle: async ({ ctx, query }) => {
    const { limit, cursor } = query;
    const webhooks = await listWebhooks(ctx.db, limit + 1, cursor);
    const page = pageOf(webhooks, limit, (webhook) => webhook.id);
    return reply(200, { webhooks: page.items, nextCursor: page.nextCursor });
  },
});
