// POST /webhooks/{id}/rotate-secret: replaces the secret. The previous one stays valid for a day.
import { containerContext } from '../../shared/context/context';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { IfMatch } from '../../shared/http/headers';
import { headers, path } from '../../shared/http/parts';
import { Id } from '../../shared/http/path';
import { recordReply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { WebhookWithSecret } from '../../shared/openapi/schemas';
import { rotateWebhookSecret } from '../../shared/webhooks/rotate-webhook-secret';

export const documentation = {
  summary: "Rotate a webhook's secret",
  description:
    'For 24 hours, messages are also signed with the previous secret. Only one previous secret is kept: rotating twice within that time invalidates the first.',
  replies: {
    200: { description: 'The webhook, with its new secret', body: WebhookWithSecret, headers: ['etag'] },
  },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('webhooks:write'),
  path: path({ id: Id }),
  headers: headers({ 'if-match': IfMatch }),
  handle: async ({ ctx, path, headers, origin }) => {
    return recordReply(await rotateWebhookSecret(ctx, path.id, headers['if-match'], origin));
  },
});
