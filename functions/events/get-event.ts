// GET /events/{id}: an event with its history, from the change to each consumer's effect.
import { containerContext } from '../../shared/context/context';
import { getEvent } from '../../shared/event-log/get-event';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { path } from '../../shared/http/parts';
import { Id } from '../../shared/http/path';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { EventWithHistory } from '../../shared/openapi/schemas';

export const documentation = {
  summary: 'Get an event with its history',
  description:
    'Commit, attempts to publish, attempts of each consumer, dead letters, emails and webhook attempts. Errors are removed when the user is deleted.',
  replies: {
    200: { description: 'The event, as it was sent, and what happened to it', body: EventWithHistory },
  },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('events:read'),
  path: path({ id: Id }),
  handle: async ({ ctx, caller, path }) => {
    const event = await getEvent(ctx.db, path.id);
    // Addresses are personal data that the audit log alone shows.
    const origin = caller.permissions.has('audit:read') ? event.origin : null;
    return reply(200, { ...event, origin });
  },
});
