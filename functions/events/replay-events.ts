// POST /events/replay: sends past events to one consumer's queue again.
import { containerContext } from '../../shared/context/context';
import { ReplayBody } from '../../shared/event-operations/replay-body';
import { countReplay, replayEvents } from '../../shared/event-operations/replay-events';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { json } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { Replay, ReplayCount } from '../../shared/openapi/schemas';

export const documentation = {
  summary: 'Replay past events to one queue',
  description:
    'Sends the events in order, as they are in the event log now. The relay does so in steps: see `GET /events/replays/{replayId}`. A consumer skips events that it has already handled, so replay serves new consumers and queues that lost messages.',
  example: { queue: 'rollcall.audit', from: '2026-11-01', types: ['user.created'] },
  replies: {
    200: { description: 'With `dryRun`: how many events it would send', body: ReplayCount },
    202: { description: 'The replay, not started yet', body: Replay },
  },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('events:write'),
  body: json(ReplayBody),
  handle: async ({ ctx, body: { dryRun, ...filter }, origin }) =>
    dryRun
      ? reply(200, { ...(await countReplay(ctx, filter)) })
      : reply(202, { ...(await replayEvents(ctx, filter, origin)) }),
});
