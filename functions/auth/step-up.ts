// POST /step-up: the password once more, for an access token that may do what needs a recent proof (RFC 9470).
import * as v from 'valibot';
import { type Context, containerContext } from '../../shared/context/context';
import { endpoint } from '../../shared/http/endpoint';
import { originOf } from '../../shared/http/origin';
import { type Reply, reply } from '../../shared/http/reply';
import { bearerToken, exactly, parseBody, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { SteppedUp } from '../../shared/openapi/schemas';
import { authenticate } from '../../shared/sessions/authenticate';
import { stepUp } from '../../shared/sign-in/step-up';

const Body = exactly({
  password: v.pipe(v.string('must be a string'), v.minLength(1, 'must not be empty')),
});

export const operation = {
  summary: 'Prove the password once more',
  description:
    'For what answers 401 `reauthentication_required`: the new access token of the same session may do it for `REAUTH_SECONDS` (RFC 9470). Its `auth_time` says when the password was given.',
  auth: 'bearer',
  body: Body,
  example: { password: 'correct horse battery' },
  replies: { 200: { description: 'A new access token of the same session', body: SteppedUp } },
  errors: ['invalid_credentials', 'rate_limited'],
} satisfies Operation;

export async function stepUpSession(request: Request, ctx: Context): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  const { password } = parseBody(request, Body);
  return reply(200, await stepUp(ctx, caller, password, originOf(request, caller)));
}

export const handler = endpoint(containerContext, stepUpSession);
