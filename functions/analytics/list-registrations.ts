// GET /analytics/registrations: how many registered, confirmed their address, logged in and left, per day or hour.
import * as v from 'valibot';
import { reportRegistrations } from '../../shared/analytics/report-registrations';
import { type Context, containerContext } from '../../shared/context/context';
import { authorize } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { type Reply, reply } from '../../shared/http/reply';
import { bearerToken, exactly, parseQuery, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { RegistrationReport } from '../../shared/openapi/schemas';
import { authenticate } from '../../shared/sessions/authenticate';
import { Time } from '../../shared/time';

const Query = exactly({
  from: v.optional(Time),
  to: v.optional(Time),
  interval: v.optional(v.picklist(['day', 'hour'], 'must be day or hour'), 'day'),
});

export const operation = {
  summary: 'Count registrations, verifications, logins and deletions',
  description:
    'Per day or hour of UTC, by the time at which each happened. `from` and `to`, which is not included, are widened to whole days or hours, at most 1000 of them. Left out: the last 30 days or 24 hours, the present one included.',
  auth: 'bearer',
  permission: 'analytics:read',
  query: Query,
  replies: { 200: { description: 'Every day or hour of the range', body: RegistrationReport } },
} satisfies Operation;

export async function listRegistrations(request: Request, ctx: Context): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  authorize(caller, 'analytics:read');
  const { interval, ...range } = parseQuery(request, Query);
  return reply(200, { ...(await reportRegistrations(ctx.db, ctx.now(), interval, range)) });
}

export const handler = endpoint(containerContext, listRegistrations);
