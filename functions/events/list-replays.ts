// GET /events/replays: the replays and their progress, newest first.
import * as v from 'valibot';
import { containerContext } from '../../shared/context/context';
import { exactly } from '../../shared/exactly';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { Cursor, Limit, pageOf } from '../../shared/http/page';
import { query } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { ReplayList } from '../../shared/openapi/schemas';
import { listReplays } from '../../shared/outbox/replay-store';

const Query = exactly({ limit: Limit, cursor: Cursor(v.pipe(v.string(), v.uuid())) });

export const documentation = {
  summary: 'List replays',
  description: 'Finished replays are removed after `EVENT_RETENTION_DAYS`.',
  replies: { 200: { description: 'A page of replays, newest first', body: ReplayList } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('events:read'),
  query: query(Query),
  handle: async ({ ctx, query: { limit, cursor } }) => {
    const replays = await listReplays(ctx.db, limit + 1, cursor);
    const page = pageOf(replays, limit, (replay) => replay.id);
    return reply(200, { replays: page.items, nextCursor: page.nextCursor });
  },
});
