// POST /login/factor: the second step of a login, with a code or a passkey.
import { containerContext } from '../../shared/context/context';
import { anyone } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { byAddress } from '../../shared/http/limit';
import { json } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { LoggedIn } from '../../shared/openapi/schemas';
import { FactorLogin } from '../../shared/sign-in/fields';
import { logInWithFactor } from '../../shared/sign-in/log-in-with-factor';
import { userResponse } from '../../shared/users/user-response';

export const documentation = {
  summary: 'Log in: the second factor',
  description:
    'After `POST /login` has answered `second_factor_required`. For `type` `passkey`, `assertion` is for the options of `POST /login/passkey/options`. What is wrong leaves the `factorToken` valid; after what is right it is used.',
  example: { factorToken: '…', type: 'totp', code: '123456' },
  replies: { 200: { description: 'The user and a new session', body: LoggedIn } },
  errors: ['invalid_token', 'invalid_code', 'invalid_assertion', 'user_suspended'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: anyone,
  limit: byAddress('loginAddress'),
  body: json(FactorLogin),
  handle: async ({ ctx, body, origin }) => {
    const { factorToken, ...sent } = body;
    const { user, tokens } = await logInWithFactor(ctx, factorToken, sent, origin);
    return reply(200, { user: userResponse(ctx, user), ...tokens });
  },
});
