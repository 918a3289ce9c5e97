// GET /dead-letters/{id}: one event that failed permanently, with its error.
import { containerContext } from '../../shared/context/context';
import { getDeadLetter } from '../../shared/dead-letters/get-dead-letter';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { path } from '../../shared/http/parts';
import { Id } from '../../shared/http/path';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { DeadLetter } from '../../shared/openapi/schemas';

export const documentation = {
  summary: 'Get a dead letter',
  replies: { 200: { description: 'The dead letter, with its error', body: DeadLetter } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('events:read'),
  path: path({ id: Id }),
  handle: async ({ ctx, path }) => reply(200, { ...(await getDeadLetter(ctx.db, path.id)) }),
});
