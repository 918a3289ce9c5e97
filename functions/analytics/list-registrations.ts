// GET /analytics/registrations: counts of registrations, verifications, logins and deletions per day or hour.
import * as v from 'valibot';
import { listRegistrations } from '../../shared/analytics/list-registrations';
import { containerContext } from '../../shared/context/context';
import { exactly } from '../../shared/exactly';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { query } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { RegistrationReport } from '../../shared/openapi/schemas';
import { Time } from '../../shared/time';

const Query = exactly({
  from: v.optional(Time),
  to: v.optional(Time),
  interval: v.optional(v.picklist(['day', 'hour'], 'must be day or hour'), 'day'),
});

export const documentation = {
  summary: 'Count registrations, verifications, logins and deletions',
  description:
    'Per day or hour in UTC, by the time of each event. The range from `from` to `to` (exclusive) is extended to whole days or hours, at most 1000 of them. Default: the last 30 days or 24 hours, including the current one.',
  replies: { 200: { description: 'Counts for every day or hour of the range', body: RegistrationReport } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('analytics:read'),
  query: query(Query),
  handle: async ({ ctx, query }) => {
    const { interval, ...range } = query;
    return reply(200, { ...(await listRegistrations(ctx.db, ctx.now(), interval, range)) });
  },
});
