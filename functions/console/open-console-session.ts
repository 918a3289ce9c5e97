// POST /console/session: opens the console's session with a code. Its refresh token is a cookie, which no script can read.
import { consoleSession } from '../../shared/console/session-cookie';
import { containerContext } from '../../shared/context/context';
import { exactly } from '../../shared/exactly';
import { ownPage } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { byAddress } from '../../shared/http/limit';
import { json } from '../../shared/http/parts';
import type { Documentation } from '../../shared/openapi/documentation';
import { NewAccessToken } from '../../shared/openapi/schemas';
import { Code } from '../../shared/sign-in/code-fields';
import { exchangeCode } from '../../shared/sign-in/exchange-code';
import { CONSOLE_TARGET } from '../../shared/sign-in/return-target';

export const documentation = {
  summary: 'Log in to the console',
  description:
    'For the pages of this service only: it requires their `Origin`. The code is one of `POST /login/code` for `returnTo` `console`; it works like `POST /login/exchange`.',
  example: { code: '…' },
  replies: { 200: { description: 'An access token', body: NewAccessToken, headers: ['set-cookie'] } },
  errors: ['invalid_token', 'forbidden'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: ownPage,
  limit: byAddress('refreshAddress'),
  body: json(exactly({ code: Code })),
  handle: async ({ ctx, body: { code }, origin, pageOrigin }) => {
    const exchange = { code, returnTo: CONSOLE_TARGET, codeVerifier: null };
    const { tokens } = await exchangeCode(ctx, exchange, origin);
    return { status: 200, ...consoleSession(ctx.config, pageOrigin, tokens) };
  },
});
