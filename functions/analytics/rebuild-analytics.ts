// POST /analytics/rebuild: counts what the event log holds again.
import * as v from 'valibot';
import { rebuildCounts } from '../../shared/analytics/rebuild-counts';
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
  to: v.optional(v.pipe(Time, v.description('Not included'))),
});

export const documentation = {
  summary: 'Count a range of time again',
  description:
    'Takes back the counts of the range and sends its events to the analytics consumer again; until they have arrived, the counts are too low. The range is widened to whole hours and cut to those of which the event log still has every event: what is older keeps its counts. Left out: all of them.',
  example: { from: '2026-11-01', to: '2026-11-08' },
  replies: { 202: { description: 'These hours are counted again', body: Rebuilding } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('events:write'),
  body: json(Body),
  handle: async ({ ctx, body, origin }) => reply(202, { ...(await rebuildCounts(ctx, body, origin)) }),
});
