// POST /dead-letters/{id}/redrive: sends a dead letter to its queue again, with a fresh count of attempts.
import { containerContext } from '../../shared/context/context';
import { redriveDeadLetter } from '../../shared/dead-letters/redrive';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { path } from '../../shared/http/parts';
import { Id } from '../../shared/http/path';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { RedrivenEvent } from '../../shared/openapi/schemas';

export const documentation = {
  summary: 'Redrive a dead letter',
  description: 'Sends it to its queue again. If the consumer has handled the event meanwhile, it skips it.',
  replies: { 202: { description: 'Queued, and removed from the dead letters', body: RedrivenEvent } },
  errors: ['not_redrivable'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('events:write'),
  path: path({ id: Id }),
  handle: async ({ ctx, path, origin }) => {
    const eventId = await redriveDeadLetter(ctx, path.id, origin);
    return reply(202, { redriven: 1, eventId });
  },
});
