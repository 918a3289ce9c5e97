// POST /webhooks: an endpoint that gets events from now on. The answer has its secret, which is not shown again.
import { containerContext } from '../../shared/context/context';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { json } from '../../shared/http/parts';
import { createdReply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { WebhookWithSecret } from '../../shared/openapi/schemas';
import { createWebhook } from '../../shared/webhooks/create-webhook';
import { NewWebhook } from '../../shared/webhooks/fields';

export const documentation = {
  summary: 'Send events to an endpoint',
  description:
    'Every event of these types from now on, signed by Standard Webhooks. The URL is `https://` and its host public.',
  example: { url: 'https://crm.example.com/rollcall', eventTypes: ['user.created', 'user.deleted'] },
  replies: {
    201: {
      description: 'The webhook, with its secret',
      body: WebhookWithSecret,
      headers: ['location', 'etag'],
    },
  },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('webhooks:write'),
  body: json(NewWebhook),
  handle: async ({ ctx, body, origin }) => {
    const webhook = await createWebhook(ctx, body, origin);
    return createdReply(`/webhooks/${webhook.id}`, webhook, webhook);
  },
});
