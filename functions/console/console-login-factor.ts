// POST /console/session/factor: the second step of a login to the console, with a code or a passkey.
import { consoleSession } from '../../shared/console/session-cookie';
import { containerContext } from '../../shared/context/context';
import { ownPage } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { byAddress } from '../../shared/http/limit';
import { json } from '../../shared/http/parts';
import type { Documentation } from '../../shared/openapi/documentation';
import { NewAccessToken } from '../../shared/openapi/schemas';
import { FactorLogin } from '../../shared/sign-in/fields';
import { logInWithFactor } from '../../shared/sign-in/log-in-with-factor';

export const documentation = {
  summary: 'Log in to the console: the second factor',
  description:
    'For the page at `/console` only: it requires its `Origin`. It works like `POST /login/factor`.',
  example: { factorToken: '…', type: 'totp', code: '123456' },
  replies: { 200: { description: 'An access token', body: NewAccessToken, headers: ['set-cookie'] } },
  errors: ['invalid_token', 'invalid_code', 'invalid_assertion', 'forbidden'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: ownPage,
  limit: byAddress('loginAddress'),
  body: json(FactorLogin),
  handle: async ({ ctx, body, origin }) => {
    const { factorToken, ...sent } = body;
    const { tokens } = await logInWithFactor(ctx, factorToken, sent, origin);
    return { status: 200, ...consoleSession(ctx.config, tokens) };
  },
});
