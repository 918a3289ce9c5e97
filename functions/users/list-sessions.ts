// GET /users/{id}/sessions: where a user is logged in, for themselves and for those who may act for them.
import { type Context, containerContext } from '../../shared/context';
import { authorizeSelfOr } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { type Reply, reply } from '../../shared/http/reply';
import { bearerToken, type Request } from '../../shared/http/request';
import { authenticate } from '../../shared/sessions/authenticate';
import { listSessions } from '../../shared/sessions/list-sessions';

export async function listUserSessions(request: Request, ctx: Context): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  const userId = authorizeSelfOr(caller, request.params['id'], 'users:write');
  return reply(200, { sessions: await listSessions(ctx, caller, userId) });
}

export const handler = endpoint(containerContext, listUserSessions);
