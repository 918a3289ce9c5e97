// POST /login (/auth/login): logs in with a password and a username or an email address.
import { containerContext } from '../../shared/context/context';
import { anyone } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { byAddress } from '../../shared/http/limit';
import { json } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { LoggedIn } from '../../shared/openapi/schemas';
import { loginNameOf, PasswordLogin } from '../../shared/passwords/password-login';
import { logIn } from '../../shared/sign-in/log-in';
import { userResponse } from '../../shared/users/user-response';

export const documentation = {
  summary: 'Log in',
  description:
    'An unknown name and a wrong password get the same response in the same time. After the right password of a user with a second factor: `second_factor_required`, with a `factorToken` for `POST /login/factor`.',
  example: { username: 'gorden', password: 'correct horse battery' },
  replies: { 200: { description: 'The user and a new session', body: LoggedIn } },
  errors: ['invalid_credentials', 'second_factor_required', 'user_suspended'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: anyone,
  limit: byAddress('loginAddress'),
  body: json(PasswordLogin),
  handle: async ({ ctx, body, origin }) => {
    const { user, tokens } = await logIn(ctx, loginNameOf(body), body.password, origin);
    return reply(200, { user: userResponse(ctx, user), ...tokens });
  },
});
