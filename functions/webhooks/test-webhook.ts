// POST /webhooks/{id}/test: sends a test message to a webhook, regardless of its event types.
import { containerContext } from '../../shared/context/context';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { path } from '../../shared/http/parts';
import { Id } from '../../shared/http/path';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { Delivery } from '../../shared/openapi/schemas';
import { testWebhook } from '../../shared/webhook-delivery/test-webhook';

export const documentation = {
  summary: 'Send a test message to a webhook',
  description:
    "Sends a message of type `webhook.test`, regardless of the webhook's event types. The result is in its deliveries.",
  replies: { 202: { description: 'The delivery, now due', body: Delivery } },
  errors: ['webhook_disabled'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('webhooks:write'),
  path: path({ id: Id }),
  handle: async ({ ctx, path, origin }) => reply(202, await testWebhook(ctx, path.id, origin)),
});
