// GET /users/{id}/sessions: a user's active sessions, for themselves and for callers with `users:write`.
import { containerContext } from '../../shared/context/context';
import { selfOr } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { SessionList } from '../../shared/openapi/schemas';
import { listSessions } from '../../shared/sessions/list-sessions';

export const documentation = {
  summary: "List a user's active sessions",
  replies: { 200: { description: 'The active sessions, most recently used first', body: SessionList } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: selfOr('users:write'),
  handle: async ({ ctx, caller, userId }) =>
    reply(200, { sessions: await listSessions(ctx, caller, userId) }),
});
