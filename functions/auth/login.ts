// POST /login (/auth/login): a username or an e-mail address, and the password, for a session.
import { containerContext } from '../../shared/context/context';
import { anyone } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { byAddress } from '../../shared/http/limit';
import { json } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { LoggedIn } from '../../shared/openapi/schemas';
import { PasswordLogin } from '../../shared/passwords/password-login';
import { logIn } from '../../shared/sign-in/log-in';
import { shownUser } from '../../shared/users/shown-user';

export const documentation = {
  summary: 'Log in',
  description: 'A wrong name and a wrong password are the same answer after the same time.',
  example: { username: 'gorden', password: 'correct horse battery' },
  replies: { 200: { description: 'The user and a new session', body: LoggedIn } },
  errors: ['invalid_credentials'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: anyone,
  limit: byAddress('loginAddress'),
  body: json(PasswordLogin),
  handle: async ({ ctx, body, origin }) => {
    const { username = '', email, password } = body;
    const name = email === undefined ? { username } : { email };
    const { user, tokens } = await logIn(ctx, name, password, origin);
    return reply(200, { user: shownUser(user), ...tokens });
  },
});
