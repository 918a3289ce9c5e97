// GET /events: the event log, newest first; or, with `after`, oldest first, as a feed for services without AMQP.
import { containerContext } from '../../shared/context/context';
import { listEvents } from '../../shared/event-log/list-events';
import { pullEvents } from '../../shared/event-log/pull-events';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { EventsQuery } from '../../shared/http/events-query';
import { encodeCursor } from '../../shared/http/page';
import { query } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { EventList } from '../../shared/openapi/schemas';

export const documentation = {
  summary: 'List events, or pull them in order',
  description:
    'Newest first, with the state of each. With `after`, oldest first, as a feed: start with an empty `after`, pass each `nextCursor` on, and ask again at once until it stays the same. No event is left out or repeated, also none that is committed late. A page of the list or of the feed may be empty and have a `nextCursor` all the same, if few events match the filter.',
  replies: { 200: { description: 'A page of the event log', body: EventList } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('events:read'),
  query: query(EventsQuery),
  handle: async ({ ctx, query: { limit, cursor, after, ...filter } }) => {
    if (after) {
      const feed = await pullEvents(ctx.db, filter, limit, after);
      return reply(200, { events: feed.events, nextCursor: encodeCursor(feed.cursor) });
    }
    const { events, next } = await listEvents(ctx.db, filter, limit, cursor);
    return reply(200, { events, nextCursor: next === null ? null : encodeCursor(next) });
  },
});
