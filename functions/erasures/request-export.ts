// POST /users/{id}/exports: collects all data about a user, here and from the data holders.
import { requestExport } from '../../shared/exports/request-export';
import { recently, selfOr } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { Export } from '../../shared/openapi/schemas';
import { publishingContext } from '../../shared/outbox/publisher';

export const documentation = {
  summary: "Export a user's data",
  description:
    'Collects what this service holds, and opens a case: `user.export_requested` asks every data holder for what it holds. When all have answered, or the deadlines of the others have passed, `user.export_ready` says so, and a mail tells the user. While a case awaits answers, it is returned again.',
  replies: { 202: { description: 'The case', body: Export, headers: ['location'] } },
  errors: ['rate_limited'],
} satisfies Documentation;

export const handler = endpoint({
  context: publishingContext,
  access: recently(selfOr('erasures:write')),
  handle: async ({ ctx, caller, userId, origin }) => {
    const opened = await requestExport(ctx, caller, userId, origin);
    return reply(202, opened, { location: `/exports/${opened.id}` });
  },
});
