// PUT /webhooks/{id}: updates, disables or enables a webhook. Omitted fields keep their values.
import { containerContext } from '../../shared/context/context';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { IfMatch } from '../../shared/http/headers';
import { headers, json, path } from '../../shared/http/parts';
import { Id } from '../../shared/http/path';
import { recordReply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { Webhook } from '../../shared/openapi/schemas';
import { WebhookChange } from '../../shared/webhooks/fields';
import { updateWebhook } from '../../shared/webhooks/update-webhook';

export const documentation = {
  summary: 'Update, disable or enable a webhook',
  description:
    'Omitted fields keep their values. A disabled webhook gets no new deliveries; pending ones wait until it is enabled again.',
  example: { enabled: true },
  replies: { 200: { description: 'The updated webhook', body: Webhook, headers: ['etag'] } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('webhooks:write'),
  path: path({ id: Id }),
  headers: headers({ 'if-match': IfMatch }),
  body: json(WebhookChange),
  handle: async ({ ctx, path, headers, body, origin }) =>
    recordReply(await updateWebhook(ctx, path.id, body, headers['if-match'], origin)),
});
