// POST /login/factor: the second step of a login, with a code.
import { containerContext } from '../../shared/context/context';
import { FactorLogin } from '../../shared/factors/fields';
import { anyone } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { byAddress } from '../../shared/http/limit';
import { json } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { LoggedIn } from '../../shared/openapi/schemas';
import { logInWithFactor } from '../../shared/sign-in/log-in-with-factor';
import { userResponse } from '../../shared/users/user-response';

export const documentation = {
  summary: 'Log in: the second factor',
  description:
    'After `POST /login` has answered `second_factor_required`. A wrong code leaves the `factorToken` valid; after a right one it is used.',
  example: { factorToken: '…', type: 'totp', code: '123456' },
  replies: { 200: { description: 'The user and a new session', body: LoggedIn } },
  errors: ['invalid_token', 'invalid_code'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: anyone,
  limit: byAddress('loginAddress'),
  body: json(FactorLogin),
  handle: async ({ ctx, body, origin }) => {
    const { factorToken, ...code } = body;
    const { user, tokens } = await logInWithFactor(ctx, factorToken, code, origin);
    return reply(200, { user: userResponse(user), ...tokens });
  },
});
