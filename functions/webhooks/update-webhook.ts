// PUT /webhooks/{id}: changes an endpoint, disables it or enables it again. Fields that are not sent stay.
import * as v from 'valibot';
import { type Context, containerContext } from '../../shared/context/context';
import { authorize } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { readIfMatch } from '../../shared/http/if-match';
import { originOf } from '../../shared/http/origin';
import { type Reply, recordReply } from '../../shared/http/reply';
import { bearerToken, exactly, parseBody, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { Webhook } from '../../shared/openapi/schemas';
import { authenticate } from '../../shared/sessions/authenticate';
import { Description, EventTypes, RetryDelays, WebhookUrl } from '../../shared/webhooks/fields';
import { updateWebhook } from '../../shared/webhooks/update-webhook';

const Body = exactly({
  url: v.exactOptional(WebhookUrl),
  eventTypes: v.exactOptional(EventTypes),
  description: v.exactOptional(Description),
  retryDelaysSeconds: v.exactOptional(RetryDelays),
  enabled: v.exactOptional(v.boolean('must be true or false')),
});

export const operation = {
  summary: 'Change a webhook, disable it, or enable it again',
  description:
    'Fields that are not sent stay. While it is disabled, events pass it by; what was waiting for it waits, and is sent when it is enabled again.',
  auth: 'bearer',
  permission: 'webhooks:write',
  headers: ['if-match'],
  body: Body,
  example: { enabled: true },
  replies: { 200: { description: 'The webhook as it is now', body: Webhook, headers: ['etag'] } },
} satisfies Operation;

export async function updateWebhookById(request: Request, ctx: Context): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  authorize(caller, 'webhooks:write');
  const update = parseBody(request, Body);
  return recordReply(
    await updateWebhook(
      ctx,
      request.params['id'] ?? '',
      update,
      readIfMatch(request),
      originOf(request, caller),
    ),
  );
}

export const handler = endpoint(containerContext, updateWebhookById);
