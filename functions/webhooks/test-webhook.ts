// POST /webhooks/{id}/test: sends an endpoint a message to try it with, whatever it subscribes to.
import { containerContext } from '../../shared/context/context';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { path } from '../../shared/http/parts';
import { Id } from '../../shared/http/path';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { Delivery } from '../../shared/openapi/schemas';
import { sendTest } from '../../shared/webhook-delivery/request-delivery';

export const documentation = {
  summary: 'Send a webhook a test',
  description:
    'A message of type `webhook.test`, whatever it subscribes to. What became of it is in the deliveries.',
  replies: { 202: { description: 'The delivery, which is now due', body: Delivery } },
  errors: ['webhook_disabled'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('webhooks:write'),
  path: path({ id: Id }),
  handle: async ({ ctx, path, origin }) => reply(202, await sendTest(ctx, path.id, origin)),
});
