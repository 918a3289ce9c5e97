// POST /webhooks: creates a webhook. Only this response and that of a rotation contain its secret.
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
  summary: 'Create a webhook',
  description:
    'Sends future events of these types to the URL, signed as specified by Standard Webhooks. The URL must use `https://` and a public host.',
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
