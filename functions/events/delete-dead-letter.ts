// DELETE /dead-letters/{id}: discards an event that a consumer could not handle.
import { containerContext } from '../../shared/context/context';
import { deleteDeadLetter } from '../../shared/dead-letters/delete-dead-letter';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { path } from '../../shared/http/parts';
import { Id } from '../../shared/http/path';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';

export const documentation = {
  summary: 'Delete a dead letter',
  description: 'The event stays in the event log and can be replayed.',
  replies: { 204: { description: 'The dead letter is deleted' } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('events:write'),
  path: path({ id: Id }),
  handle: async ({ ctx, path, origin }) => {
    await deleteDeadLetter(ctx, path.id, origin);
    return reply(204);
  },
});
