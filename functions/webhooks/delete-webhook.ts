// DELETE /webhooks/{id}: deletes a webhook and its deliveries.
import { containerContext } from '../../shared/context/context';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { IfMatch } from '../../shared/http/headers';
import { headers, path } from '../../shared/http/parts';
import { Id } from '../../shared/http/path';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { deleteWebhook } from '../../shared/webhooks/delete-webhook';

export const documentation = {
  summary: 'Delete a webhook and its deliveries',
  replies: { 204: { description: 'The webhook is deleted' } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('webhooks:write'),
  path: path({ id: Id }),
  headers: headers({ 'if-match': IfMatch }),
  handle: async ({ ctx, path, headers, origin }) => {
    await deleteWebhook(ctx, path.id, headers['if-match'], origin);
    return reply(204);
  },
});
