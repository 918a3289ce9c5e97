// GET /users/{id}: a user, for themselves and for those who may read users.
import { type Context, containerContext } from '../../shared/context/context';
import { authorizeSelfOr } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { type Reply, recordReply } from '../../shared/http/reply';
import { bearerToken, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { User } from '../../shared/openapi/schemas';
import { authenticate } from '../../shared/sessions/authenticate';
import { getUser } from '../../shared/users/get-user';
import { shownUser } from '../../shared/users/shown-user';

export const operation = {
  summary: 'Read a user',
  auth: 'bearer',
  permission: 'users:read',
  orSelf: true,
  headers: ['if-none-match'],
  replies: { 200: { description: 'The user', body: User, headers: ['etag'] } },
} satisfies Operation;

export async function getUserById(request: Request, ctx: Context): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  const id = authorizeSelfOr(caller, request.params['id'], 'users:read');
  const user = id === caller.user.id ? caller.user : await getUser(ctx, id);
  return recordReply(shownUser(user), request.headers['if-none-match']);
}

export const handler = endpoint(containerContext, getUserById);
