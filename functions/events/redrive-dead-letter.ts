// POST /dead-letters/{id}/redrive: has a dead letter sent to its queue again, with all of its attempts before it.
import { containerContext } from '../../shared/context/context';
import { redriveDeadLetter } from '../../shared/event-operations/redrive';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { path } from '../../shared/http/parts';
import { Id } from '../../shared/http/path';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { Redriven } from '../../shared/openapi/schemas';

export const documentation = {
  summary: 'Send a dead letter to its queue again',
  description: 'Where its consumer has handled the event meanwhile, nothing happens twice.',
  replies: { 202: { description: 'It is on its way, and no dead letter any more', body: Redriven } },
  errors: ['not_redrivable'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('events:write'),
  path: path({ id: Id }),
  handle: async ({ ctx, path, origin }) => {
    await redriveDeadLetter(ctx, path.id, origin);
    return reply(202, { redriven: 1 });
  },
});
