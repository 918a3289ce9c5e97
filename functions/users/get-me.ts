// GET /users/me: the caller. Read together with their session, in the one query that authenticates.
import { type Context, containerContext } from '../../shared/context/context';
import { endpoint } from '../../shared/http/endpoint';
import { type Reply, recordReply } from '../../shared/http/reply';
import { bearerToken, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { User } from '../../shared/openapi/schemas';
import { authenticate } from '../../shared/sessions/authenticate';
import { shownUser } from '../../shared/users/shown-user';

export const operation = {
  summary: 'Read oneself',
  auth: 'bearer',
  headers: ['if-none-match'],
  replies: { 200: { description: 'The caller', body: User, headers: ['etag'] } },
} satisfies Operation;

export async function getMe(request: Request, ctx: Context): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  return recordReply(shownUser(caller.user), request.headers['if-none-match']);
}

export const handler = endpoint(containerContext, getMe);
