// GET /webhooks: the endpoints that get events, newest first.
import { type Context, containerContext } from '../../shared/context/context';
import { authorize } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { Cursor, Limit, pageOf } from '../../shared/http/page';
import { type Reply, reply } from '../../shared/http/reply';
import { bearerToken, exactly, parseQuery, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { WebhookList } from '../../shared/openapi/schemas';
import { authenticate } from '../../shared/sessions/authenticate';
import { WebhookId } from '../../shared/webhooks/fields';
import { listWebhooks } from '../../shared/webhooks/webhook-store';

const Query = exactly({ limit: Limit, cursor: Cursor(WebhookId) });

export const operation = {
  summary: 'List webhooks',
  auth: 'bearer',
  permission: 'webhooks:read',
  query: Query,
  replies: { 200: { description: 'A page of webhooks, newest first', body: WebhookList } },
} satisfies Operation;

export async function listAllWebhooks(request: Request, ctx: Context): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  authorize(caller, 'webhooks:read');
  const { limit, cursor } = parseQuery(request, Query);
  const webhooks = await listWebhooks(ctx.db, limit + 1, cursor);
  const page = pageOf(webhooks, limit, (webhook) => webhook.id);
  return reply(200, { webhooks: page.items, nextCursor: page.nextCursor });
}

export const handler = endpoint(containerContext, listAllWebhooks);
