// POST /refresh (/auth/refresh): exchanges a refresh token for new tokens. Single use, with a grace period for retries.
import * as v from 'valibot';
import { containerContext } from '../../shared/context/context';
import { exactly } from '../../shared/exactly';
import { anyone } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { byAddress } from '../../shared/http/limit';
import { json } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { SessionTokens } from '../../shared/openapi/schemas';
import { refreshSession } from '../../shared/sign-in/refresh-session';

const Body = exactly({ refreshToken: v.string('must be a string') });

export const documentation = {
  summary: 'Exchange a refresh token for new tokens',
  description:
    'A refresh token can be used once. The same client may repeat the request for 10 seconds. Any other reuse is treated as theft and ends the session.',
  replies: { 200: { description: 'A new access token and refresh token', body: SessionTokens } },
  errors: ['invalid_refresh_token', 'refresh_token_reused'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: anyone,
  limit: byAddress('refreshAddress'),
  body: json(Body),
  handle: async ({ ctx, body, origin }) => {
    const { refreshToken } = body;
    return reply(200, await refreshSession(ctx, refreshToken, origin));
  },
});
