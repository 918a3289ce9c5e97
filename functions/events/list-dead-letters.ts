// GET /dead-letters: the events that failed for good, newest first, with what went wrong.
import * as v from 'valibot';
import { type Context, containerContext } from '../../shared/context/context';
import { listDeadLetters } from '../../shared/event-operations/dead-letter-store';
import { authorize } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { Cursor, Limit, pageOf } from '../../shared/http/page';
import { type Reply, reply } from '../../shared/http/reply';
import { bearerToken, exactly, parseQuery, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { DeadLetterList } from '../../shared/openapi/schemas';
import { authenticate } from '../../shared/sessions/authenticate';

const Query = exactly({
  queue: v.optional(v.string()),
  limit: Limit,
  cursor: Cursor(v.pipe(v.string(), v.uuid())),
});

export const operation = {
  summary: 'List what failed for good, and why',
  auth: 'bearer',
  permission: 'events:read',
  query: Query,
  replies: { 200: { description: 'A page of the dead letters, newest first', body: DeadLetterList } },
} satisfies Operation;

export async function listAllDeadLetters(request: Request, ctx: Context): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  authorize(caller, 'events:read');
  const { queue, limit, cursor } = parseQuery(request, Query);
  const letters = await listDeadLetters(ctx.db, queue, limit + 1, cursor);
  const page = pageOf(letters, limit, (letter) => letter.id);
  return reply(200, { deadLetters: page.items, nextCursor: page.nextCursor });
}

export const handler = endpoint(containerContext, listAllDeadLetters);
