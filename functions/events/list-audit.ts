// GET /audit: who did what, when and from where, newest first.
import * as v from 'valibot';
import { listAuditEntries } from '../../shared/audit/audit-store';
import { type Context, containerContext } from '../../shared/context/context';
import { authorize } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { Cursor, Limit, pageOf } from '../../shared/http/page';
import { type Reply, reply } from '../../shared/http/reply';
import { bearerToken, exactly, parseQuery, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { AuditEntryList } from '../../shared/openapi/schemas';
import { authenticate } from '../../shared/sessions/authenticate';
import { Time, Timestamp } from '../../shared/time';
import { UserId } from '../../shared/users/fields';

const Query = exactly({
  subject: v.optional(UserId),
  actor: v.optional(UserId),
  type: v.optional(v.string()),
  from: v.optional(Time),
  to: v.optional(Time),
  limit: Limit,
  cursor: Cursor(v.tuple([Timestamp, v.pipe(v.string(), v.uuid())])),
});

export const operation = {
  summary: 'List who did what, when and from where',
  auth: 'bearer',
  permission: 'audit:read',
  query: Query,
  replies: { 200: { description: 'A page of the audit log, newest first', body: AuditEntryList } },
} satisfies Operation;

export async function listAudit(request: Request, ctx: Context): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  authorize(caller, 'audit:read');
  const { limit, cursor, ...filter } = parseQuery(request, Query);
  const entries = await listAuditEntries(ctx.db, filter, limit + 1, cursor);
  const page = pageOf(entries, limit, (entry) => [entry.time, entry.eventId]);
  return reply(200, { entries: page.items, nextCursor: page.nextCursor });
}

export const handler = endpoint(containerContext, listAudit);
