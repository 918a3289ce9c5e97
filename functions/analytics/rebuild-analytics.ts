// POST /analytics/rebuild: recalculates counts from the event log.
import * as v from 'valibot';
import { rebuildAnalytics } from '../../shared/analytics/rebuild-analytics';
import { containerContext } from '../../shared/context/context';
import { exactly } from '../../shared/exactly';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { json } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { Rebuilding } from '../../shared/openapi/schemas';
import { Time } from '../../shared/time';

const Body = exactly({
  from: v.optional(Time),
  to: v.optional(v.pipe(Time, v.description('Exclusive'))),
});

export const documentation = {
  summary: 'Rebuild analytics for a time range',
  description:
    'Resets the counts of the range and sends its events to the analytics consumer again; until it has handled them, the counts are too low. The range is extended to whole hours and limited to hours whose events are all still in the event log; older counts stay as they are. `GET /events/replays/{replayId}` says how far it is. Default: all of these hours.',
  example: { from: '2026-11-01', to: '2026-11-08' },
  replies: { 202: { description: 'The hours that are being rebuilt', body: Rebuilding } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('events:write'),
  body: json(Body),
  handle: async ({ ctx, body, origin }) => reply(202, { ...(await rebuildAnalytics(ctx, body, origin)) }),
});
