// POST /webhooks/{id}/rotate-secret: a new secret, shown once. The one before stays valid for a day.
import { type Context, containerContext } from '../../shared/context/context';
import { authorize } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { readIfMatch } from '../../shared/http/if-match';
import { originOf } from '../../shared/http/origin';
import { type Reply, recordReply } from '../../shared/http/reply';
import { bearerToken, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { WebhookWithSecret } from '../../shared/openapi/schemas';
import { authenticate } from '../../shared/sessions/authenticate';
import { rotateSecret } from '../../shared/webhooks/rotate-secret';

export const operation = {
  summary: "Replace a webhook's secret",
  description:
    'For 24 hours messages are signed with the one before, too. Rotated again within that time, the first is no longer valid.',
  auth: 'bearer',
  permission: 'webhooks:write',
  headers: ['if-match'],
  replies: {
    200: { description: 'The webhook, with its new secret', body: WebhookWithSecret, headers: ['etag'] },
  },
} satisfies Operation;

export async function rotateWebhookSecret(request: Request, ctx: Context): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  authorize(caller, 'webhooks:write');
  return recordReply(
    await rotateSecret(ctx, request.params['id'] ?? '', readIfMatch(request), originOf(request, caller)),
  );
}

export const handler = endpoint(containerContext, rotateWebhookSecret);
