// POST /dead-letters/redrive: sends the dead letters of a queue to it again.
import { containerContext } from '../../shared/context/context';
import { redriveDeadLetters } from '../../shared/dead-letters/redrive';
import { QueueName } from '../../shared/event-operations/consumer-queue';
import { exactly } from '../../shared/exactly';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { json } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { Redriven } from '../../shared/openapi/schemas';

const Body = exactly({ queue: QueueName });

export const documentation = {
  summary: 'Redrive all dead letters of a queue',
  description:
    'Dead letters without a valid event stay: edit or delete them. A request takes at most 20 s, enough for some 300,000: repeat it until `redriven` is 0.',
  example: { queue: 'rollcall.audit' },
  replies: { 202: { description: 'The number of dead letters queued', body: Redriven } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('events:write'),
  body: json(Body),
  handle: async ({ ctx, body, origin }) => {
    const { queue } = body;
    return reply(202, { redriven: await redriveDeadLetters(ctx, queue, origin) });
  },
});
