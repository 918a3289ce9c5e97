// POST /webhooks: an endpoint that gets events from now on. The answer has its secret, which is not shown again.
import * as v from 'valibot';
import { type Context, containerContext } from '../../shared/context/context';
import { authorize } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { originOf } from '../../shared/http/origin';
import { type Reply, reply } from '../../shared/http/reply';
import { bearerToken, exactly, parseBody, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { WebhookWithSecret } from '../../shared/openapi/schemas';
import { authenticate } from '../../shared/sessions/authenticate';
import { createWebhook } from '../../shared/webhooks/create-webhook';
import { Description, EventTypes, RetryDelays, WebhookUrl } from '../../shared/webhooks/fields';

const Body = exactly({
  url: WebhookUrl,
  eventTypes: EventTypes,
  description: v.optional(Description, null),
  retryDelaysSeconds: v.optional(RetryDelays, null),
  enabled: v.optional(v.boolean('must be true or false'), true),
});

export const operation = {
  summary: 'Send events to an endpoint',
  description:
    'Every event of these types from now on, signed by Standard Webhooks. The URL is `https://` and its host public.',
  auth: 'bearer',
  permission: 'webhooks:write',
  body: Body,
  example: { url: 'https://crm.example.com/rollcall', eventTypes: ['user.created', 'user.deleted'] },
  replies: {
    201: {
      description: 'The webhook, with its secret',
      body: WebhookWithSecret,
      headers: ['location', 'etag'],
    },
  },
} satisfies Operation;

export async function createNewWebhook(request: Request, ctx: Context): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  authorize(caller, 'webhooks:write');
  const webhook = await createWebhook(ctx, parseBody(request, Body), originOf(request, caller));
  return reply(201, webhook, { location: `/webhooks/${webhook.id}`, etag: `"${webhook.version}"` });
}

export const handler = endpoint(containerContext, createNewWebhook);
