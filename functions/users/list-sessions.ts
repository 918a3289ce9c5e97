// GET /users/{id}/sessions: where a user is logged in, for themselves and for those who may act for them.
import { containerContext } from '../../shared/context/context';
import { selfOr } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { SessionList } from '../../shared/openapi/schemas';
import { listSessions } from '../../shared/sessions/list-sessions';

export const documentation = {
  summary: 'List where a user is logged in',
  replies: { 200: { description: 'The living sessions, the one used last first', body: SessionList } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: selfOr('users:write'),
  handle: async ({ ctx, caller, userId }) =>
    reply(200, { sessions: await listSessions(ctx, caller, userId) }),
});
