// POST /login/exchange: an app takes over the session that a hosted page has opened, with the code from the URL.
import { containerContext } from '../../shared/context/context';
import { anyone } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { byAddress } from '../../shared/http/limit';
import { json } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { LoggedIn } from '../../shared/openapi/schemas';
import { CodeExchange } from '../../shared/sign-in/code-fields';
import { exchangeCode } from '../../shared/sign-in/exchange-code';
import { userResponse } from '../../shared/users/user-response';

export const documentation = {
  summary: 'Exchange the code of a hosted page for tokens',
  description:
    'The code works once, for 60 seconds, with the `returnTo` that it was issued for and, if a `code_challenge` was sent along, its `codeVerifier` (RFC 7636). A second use, another `returnTo` and a wrong or missing verifier end the session.',
  example: { code: '…', returnTo: 'https://app.example.com/signed-in' },
  replies: { 200: { description: 'The user and the session', body: LoggedIn } },
  errors: ['invalid_token'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: anyone,
  limit: byAddress('refreshAddress'),
  body: json(CodeExchange),
  handle: async ({ ctx, body: { codeVerifier = null, ...rest }, origin }) => {
    const { user, tokens } = await exchangeCode(ctx, { ...rest, codeVerifier }, origin);
    return reply(200, { user: userResponse(ctx, user), ...tokens });
  },
});
