// GET /erasures: the cases, newest first.
import * as v from 'valibot';
import { containerContext } from '../../shared/context/context';
import { listCases } from '../../shared/erasure/case-store';
import { HolderName } from '../../shared/erasure/data-holder';
import { CaseId } from '../../shared/erasure/receipt';
import { exactly } from '../../shared/exactly';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { Cursor, Limit, pageOf } from '../../shared/http/page';
import { query } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { ErasureList } from '../../shared/openapi/schemas';

const Query = exactly({
  state: v.optional(v.picklist(['open', 'overdue', 'completed'], 'must be open, overdue or completed')),
  holder: v.optional(HolderName),
  limit: Limit,
  cursor: Cursor(CaseId),
});

export const documentation = {
  summary: 'List erasures',
  description:
    'Each with its receipts: who has answered, and who has not. `overdue` cases are open ones, too.',
  replies: { 200: { description: 'A page of cases, newest first', body: ErasureList } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('erasures:read'),
  query: query(Query),
  handle: async ({ ctx, query }) => {
    const { limit, cursor, ...filter } = query;
    const cases = await listCases(ctx.db, filter, ctx.now(), limit + 1, cursor);
    const page = pageOf(cases, limit, ({ id }) => id);
    return reply(200, { erasures: page.items, nextCursor: page.nextCursor });
  },
});
