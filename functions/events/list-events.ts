// GET /events: the event log, newest first, with each event's publish status.
import * as v from 'valibot';
import { containerContext } from '../../shared/context/context';
import { listEvents } from '../../shared/event-operations/event-log-store';
import { exactly } from '../../shared/exactly';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { Cursor, Limit, pageOf } from '../../shared/http/page';
import { query } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { EventList } from '../../shared/openapi/schemas';
import { UserId } from '../../shared/users/fields';

const Query = exactly({
  type: v.optional(v.string()),
  subject: v.optional(UserId),
  status: v.optional(v.picklist(['pending', 'published'], 'must be pending or published')),
  limit: Limit,
  cursor: Cursor(v.pipe(v.number(), v.safeInteger())),
});

export const documentation = {
  summary: 'List events with their publish status',
  replies: { 200: { description: 'A page of the event log, newest first', body: EventList } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('events:read'),
  query: query(Query),
  handle: async ({ ctx, query }) => {
    const { limit, cursor, ...filter } = query;
    const events = await listEvents(ctx.db, filter, limit + 1, cursor);
    const page = pageOf(events, limit, (event) => event.position);
    return reply(200, { events: page.items, nextCursor: page.nextCursor });
  },
});
