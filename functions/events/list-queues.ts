// GET /queues: how many messages wait in each queue, and how many dead letters there are.
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { QueueList } from '../../shared/openapi/schemas';
import { listQueues } from '../../shared/ops/list-queues';
import { publishingContext } from '../../shared/outbox/publisher';

export const documentation = {
  summary: 'List queues with their lengths',
  description:
    'Asks the broker, for two seconds at most. Without it, `queues` and `retryQueues` are null. The answer may be a second old. A queue that does not exist is left out.',
  replies: { 200: { description: 'The queues, with or without the broker', body: QueueList } },
} satisfies Documentation;

export const handler = endpoint({
  context: publishingContext,
  access: permission('events:read'),
  handle: async ({ ctx }) => reply(200, { ...(await listQueues(ctx)) }),
});
