// POST /console/session: logs in to the console. Its refresh token is a cookie, which no script can read.
import { consoleSession } from '../../shared/console/session-cookie';
import { containerContext } from '../../shared/context/context';
import { ownPage } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { byAddress } from '../../shared/http/limit';
import { json } from '../../shared/http/parts';
import type { Documentation } from '../../shared/openapi/documentation';
import { NewAccessToken } from '../../shared/openapi/schemas';
import { loginNameOf, PasswordLogin } from '../../shared/passwords/password-login';
import { logIn } from '../../shared/sign-in/log-in';

export const documentation = {
  summary: 'Log in to the console',
  description: 'For the page at `/console` only: it requires its `Origin`.',
  example: { username: 'admin', password: 'correct horse battery' },
  replies: { 200: { description: 'An access token', body: NewAccessToken, headers: ['set-cookie'] } },
  errors: ['invalid_credentials', 'second_factor_required', 'forbidden'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: ownPage,
  limit: byAddress('loginAddress'),
  body: json(PasswordLogin),
  handle: async ({ ctx, body, origin }) => {
    const { tokens } = await logIn(ctx, loginNameOf(body), body.password, origin);
    return { status: 200, ...consoleSession(ctx.config, tokens) };
  },
});
