// GET /dead-letters: the events that failed permanently, newest first, with their errors.
import * as v from 'valibot';
import { containerContext } from '../../shared/context/context';
import { listDeadLetters } from '../../shared/dead-letters/dead-letter-store';
import { exactly } from '../../shared/exactly';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { Cursor, Limit, pageOf } from '../../shared/http/page';
import { query } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { DeadLetterList } from '../../shared/openapi/schemas';

const Query = exactly({
  queue: v.optional(v.string()),
  eventId: v.optional(v.pipe(v.string(), v.uuid('must be an id'))),
  limit: Limit,
  cursor: Cursor(v.pipe(v.string(), v.uuid())),
});

export const documentation = {
  summary: 'List dead letters',
  replies: {
    200: { description: 'A page of dead letters, newest first, with their errors', body: DeadLetterList },
  },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('events:read'),
  query: query(Query),
  handle: async ({ ctx, query }) => {
    const { limit, cursor, ...filter } = query;
    const letters = await listDeadLetters(ctx.db, filter, limit + 1, cursor);
    const page = pageOf(letters, limit, (letter) => letter.id);
    return reply(200, { deadLetters: page.items, nextCursor: page.nextCursor });
  },
});
