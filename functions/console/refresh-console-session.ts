// POST /console/session/refresh: a new access token for the console, by the cookie of its session.
import { consoleSession, SESSION_COOKIE } from '../../shared/console/session-cookie';
import { containerContext } from '../../shared/context/context';
import { ownPage } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { byAddress } from '../../shared/http/limit';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { NewAccessToken } from '../../shared/openapi/schemas';
import { refreshSession } from '../../shared/sign-in/refresh-session';

export const documentation = {
  summary: 'Continue a console session',
  description: 'For the page at `/console` only: it requires its `Origin`. It works like `POST /refresh`.',
  replies: {
    200: { description: 'An access token', body: NewAccessToken, headers: ['set-cookie'] },
    204: { description: 'There is no session' },
  },
  errors: ['invalid_refresh_token', 'refresh_token_reused', 'forbidden'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: ownPage,
  limit: byAddress('refreshAddress'),
  handle: async ({ ctx, cookies, origin, pageOrigin }) => {
    const token = cookies[SESSION_COOKIE];
    if (!token) return reply(204);
    const tokens = await refreshSession(ctx, token, origin);
    return { status: 200, ...consoleSession(ctx.config, pageOrigin, tokens) };
  },
});
