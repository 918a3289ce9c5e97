// PUT /dead-letters/{id}: replaces the event of a dead letter before it is redriven.
import * as v from 'valibot';
import { containerContext } from '../../shared/context/context';
import { editDeadLetter } from '../../shared/dead-letters/edit-dead-letter';
import { isEvent, type UserEvent } from '../../shared/events/catalog';
import { exactly } from '../../shared/exactly';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { json, path } from '../../shared/http/parts';
import { Id } from '../../shared/http/path';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { DeadLetter } from '../../shared/openapi/schemas';

const Body = exactly({
  event: v.pipe(
    v.custom<UserEvent>(isEvent, 'must be an event with all fields of its type'),
    v.metadata({ type: 'object' }),
  ),
});

export const documentation = {
  summary: 'Edit a dead letter',
  description: 'The event keeps its id, so a consumer that has already handled it skips it.',
  replies: { 200: { description: 'The updated dead letter', body: DeadLetter } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('events:write'),
  path: path({ id: Id }),
  body: json(Body),
  handle: async ({ ctx, path, body, origin }) => {
    const { event } = body;
    return reply(200, await editDeadLetter(ctx, path.id, event, origin));
  },
});
