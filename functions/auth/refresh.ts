// POST /refresh (/auth/refresh): a refresh token for a new pair. Each is used once; see refreshSession for its grace.
import * as v from 'valibot';
import { type Context, containerContext } from '../../shared/context/context';
import { endpoint } from '../../shared/http/endpoint';
import { originOf } from '../../shared/http/origin';
import { type Reply, reply } from '../../shared/http/reply';
import { exactly, parseBody, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { SessionTokens } from '../../shared/openapi/schemas';
import { limitRate, useByAddress } from '../../shared/rate-limits/limit-rate';
import { refreshSession } from '../../shared/sign-in/refresh-session';

const Body = exactly({ refreshToken: v.string('must be a string') });

export const operation = {
  summary: 'Get new tokens for a refresh token',
  description:
    'A refresh token is used up by this. The same client may repeat it for 10 seconds. Any other reuse is treated as theft and ends the session.',
  auth: 'none',
  body: Body,
  replies: { 200: { description: 'A new pair', body: SessionTokens } },
  errors: ['invalid_refresh_token', 'refresh_token_reused', 'rate_limited'],
} satisfies Operation;

export async function refresh(request: Request, ctx: Context): Promise<Reply> {
  // Before the body is read: a refusal should cost nothing.
  await limitRate(ctx, [useByAddress('refreshAddress', request.address)]);
  const { refreshToken } = parseBody(request, Body);
  return reply(200, await refreshSession(ctx, refreshToken, originOf(request, null)));
}

export const handler = endpoint(containerContext, refresh);
