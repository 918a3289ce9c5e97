// GET /users/{id}/sessions: where a user is logged in, for themselves and for those who may act for them.
import { type Context, containerContext } from '../../shared/context/context';
import { authorizeSelfOr } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { type Reply, reply } from '../../shared/http/reply';
import { bearerToken, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { SessionList } from '../../shared/openapi/schemas';
import { authenticate } from '../../shared/sessions/authenticate';
import { listSessions } from '../../shared/sessions/list-sessions';

export const operation = {
  summary: 'List where a user is logged in',
  auth: 'bearer',
  permission: 'users:write',
  orSelf: true,
  replies: { 200: { description: 'The living sessions, the one used last first', body: SessionList } },
} satisfies Operation;

export async function listUserSessions(request: Request, ctx: Context): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  const userId = authorizeSelfOr(caller, request.params['id'], 'users:write');
  return reply(200, { sessions: await listSessions(ctx, caller, userId) });
}

export const handler = endpoint(containerContext, listUserSessions);
