// GET /analytics/events: how many events were appended to the log in each of the last minutes.
import * as v from 'valibot';
import { containerContext } from '../../shared/context/context';
import { countEvents } from '../../shared/event-log/count-events';
import { exactly } from '../../shared/exactly';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { query } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { EventsPerMinute } from '../../shared/openapi/schemas';

const Query = exactly({
  minutes: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\d{1,3}$/, 'must be a whole number from 1 to 180'),
      v.transform(Number),
      v.number(),
      v.integer(),
      v.minValue(1, 'must be at least 1'),
      v.maxValue(180, 'must be at most 180'),
    ),
    '60',
  ),
});

export const documentation = {
  summary: 'Count events per minute',
  description: 'Of the last `minutes`, including the current one, the oldest first.',
  replies: { 200: { description: 'Every minute, including those without events', body: EventsPerMinute } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('events:read'),
  query: query(Query),
  handle: async ({ ctx, query }) =>
    reply(200, { minutes: await countEvents(ctx.db, ctx.now(), query.minutes) }),
});
