// GET /events/replays/{replayId}: a replay and its progress.
import { containerContext } from '../../shared/context/context';
import { getReplay } from '../../shared/event-operations/replay-events';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { path } from '../../shared/http/parts';
import { Id } from '../../shared/http/path';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { Replay } from '../../shared/openapi/schemas';

export const documentation = {
  summary: 'Get a replay',
  replies: { 200: { description: 'The replay and its progress', body: Replay } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('events:read'),
  path: path({ replayId: Id }),
  handle: async ({ ctx, path }) => reply(200, { ...(await getReplay(ctx.db, path.replayId)) }),
});
