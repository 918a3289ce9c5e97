// POST /analytics/rebuild: counts what the event log holds again.
import * as v from 'valibot';
import { rebuildCounts } from '../../shared/analytics/rebuild-counts';
import { type Context, containerContext } from '../../shared/context/context';
import { authorize } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { originOf } from '../../shared/http/origin';
import { type Reply, reply } from '../../shared/http/reply';
import { bearerToken, exactly, parseBody, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { Rebuilding } from '../../shared/openapi/schemas';
import { authenticate } from '../../shared/sessions/authenticate';
import { Time } from '../../shared/time';

const Body = exactly({
  from: v.optional(Time),
  to: v.optional(v.pipe(Time, v.description('Not included'))),
});

export const operation = {
  summary: 'Count a range of time again',
  description:
    'Takes back the counts of the range and sends its events to the analytics consumer again; until they have arrived, the counts are too low. The range is widened to whole hours and cut to those of which the event log still has every event: what is older keeps its counts. Left out: all of them.',
  auth: 'bearer',
  permission: 'events:write',
  body: Body,
  example: { from: '2026-11-01', to: '2026-11-08' },
  replies: { 202: { description: 'These hours are counted again', body: Rebuilding } },
} satisfies Operation;

export async function rebuildAnalytics(request: Request, ctx: Context): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  authorize(caller, 'events:write');
  return reply(202, { ...(await rebuildCounts(ctx, parseBody(request, Body), originOf(request, caller))) });
}

export const handler = endpoint(containerContext, rebuildAnalytics);
