// GET /audit: who did what, when and from where, newest first.
import * as v from 'valibot';
import { listAuditEntries } from '../../shared/audit/audit-store';
import { containerContext } from '../../shared/context/context';
import { exactly } from '../../shared/exactly';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { Cursor, Limit, pageOf } from '../../shared/http/page';
import { query } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { AuditEntryList } from '../../shared/openapi/schemas';
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

export const documentation = {
  summary: 'List audit log entries',
  replies: { 200: { description: 'A page of the audit log, newest first', body: AuditEntryList } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('audit:read'),
  query: query(Query),
  handle: async ({ ctx, query: { limit, cursor, ...filter } }) => {
    const entries = await listAuditEntries(ctx.db, filter, limit + 1, cursor);
    const page = pageOf(entries, limit, (entry) => [entry.time, entry.eventId]);
    return reply(200, { entries: page.items, nextCursor: page.nextCursor });
  },
});
