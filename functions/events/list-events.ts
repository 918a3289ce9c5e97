// GET /events: the event log, newest first, with what has become of each event.
import * as v from 'valibot';
import { type Context, containerContext } from '../../shared/context/context';
import { listEvents } from '../../shared/event-operations/event-log-store';
import { authorize } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { Cursor, Limit, pageOf } from '../../shared/http/page';
import { type Reply, reply } from '../../shared/http/reply';
import { bearerToken, exactly, parseQuery, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { EventList } from '../../shared/openapi/schemas';
import { authenticate } from '../../shared/sessions/authenticate';
import { UserId } from '../../shared/users/fields';

const Query = exactly({
  type: v.optional(v.string()),
  subject: v.optional(UserId),
  status: v.optional(v.picklist(['pending', 'published'], 'must be pending or published')),
  limit: Limit,
  cursor: Cursor(v.pipe(v.number(), v.safeInteger())),
});

export const operation = {
  summary: 'List events, and what has become of them',
  auth: 'bearer',
  permission: 'events:read',
  query: Query,
  replies: { 200: { description: 'A page of the event log, newest first', body: EventList } },
} satisfies Operation;

export async function listEventLog(request: Request, ctx: Context): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  authorize(caller, 'events:read');
  const { limit, cursor, ...filter } = parseQuery(request, Query);
  const events = await listEvents(ctx.db, filter, limit + 1, cursor);
  const page = pageOf(events, limit, (event) => event.position);
  return reply(200, { events: page.items, nextCursor: page.nextCursor });
}

export const handler = endpoint(containerContext, listEventLog);
