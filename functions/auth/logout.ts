// POST /logout (/auth/logout): ends the caller's session, or all of them; their access tokens stop working at once.
import * as v from 'valibot';
import { type Context, containerContext } from '../../shared/context/context';
import { endpoint } from '../../shared/http/endpoint';
import { originOf } from '../../shared/http/origin';
import { type Reply, reply } from '../../shared/http/reply';
import { bearerToken, exactly, parseBody, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { LoggedOut } from '../../shared/openapi/schemas';
import { authenticate } from '../../shared/sessions/authenticate';
import { logOut } from '../../shared/sign-in/log-out';

const Body = exactly({
  all: v.optional(v.boolean('must be true or false'), false),
  currentPassword: v.optional(v.string('must be a string')),
});

export const operation = {
  summary: 'Log out, here or everywhere',
  description:
    'The access tokens of what has ended stop working at once. `all` takes the `currentPassword`, or a token from a login or `POST /step-up` of the last `REAUTH_SECONDS`.',
  auth: 'bearer',
  body: /* @__PURE__ */ v.optional(Body),
  replies: { 200: { description: 'The session has ended', body: LoggedOut } },
  errors: ['reauthentication_required', 'invalid_credentials', 'rate_limited'],
} satisfies Operation;

export async function logout(request: Request, ctx: Context): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  const choice = request.rawBody.length === 0 ? { all: false } : parseBody(request, Body);
  await logOut(ctx, caller, choice, originOf(request, caller));
  return reply(200, { status: 'logout successful' });
}

export const handler = endpoint(containerContext, logout);
