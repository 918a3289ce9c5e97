// DELETE /users/{id}/sessions/{sessionId}: ends one session of a user, everywhere and at once.
import { type Context, containerContext } from '../../shared/context/context';
import { authorizeSelfOr } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { originOf } from '../../shared/http/origin';
import { type Reply, reply } from '../../shared/http/reply';
import { bearerToken, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { authenticate } from '../../shared/sessions/authenticate';
import { revokeSession } from '../../shared/sign-in/revoke-session';

export const operation = {
  summary: 'End one session of a user',
  description:
    "Another session of one's own takes a token from a login or `POST /step-up` of the last `REAUTH_SECONDS`.",
  auth: 'bearer',
  permission: 'users:write',
  orSelf: true,
  replies: { 204: { description: 'It has ended, everywhere and at once' } },
  errors: ['reauthentication_required'],
} satisfies Operation;

export async function revokeUserSession(request: Request, ctx: Context): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  const userId = authorizeSelfOr(caller, request.params['id'], 'users:write');
  const sessionId = request.params['sessionId'] ?? '';
  await revokeSession(ctx, caller, userId, sessionId, originOf(request, caller));
  return reply(204);
}

export const handler = endpoint(containerContext, revokeUserSession);
