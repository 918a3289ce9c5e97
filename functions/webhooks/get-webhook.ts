// GET /webhooks/{id}: a webhook, without its secret.
import { containerContext } from '../../shared/context/context';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { IfNoneMatch } from '../../shared/http/headers';
import { headers, path } from '../../shared/http/parts';
import { Id } from '../../shared/http/path';
import { recordReply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { Webhook } from '../../shared/openapi/schemas';
import { getWebhook } from '../../shared/webhooks/get-webhook';

export const documentation = {
  summary: 'Get a webhook',
  replies: { 200: { description: 'The webhook', body: Webhook, headers: ['etag'] } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('webhooks:read'),
  path: path({ id: Id }),
  headers: headers({ 'if-none-match': IfNoneMatch }),
  handle: async ({ ctx, path, headers }) => {
    const webhook = await getWebhook(ctx.db, path.id);
    return recordReply(webhook, headers['if-none-match']);
  },
});
