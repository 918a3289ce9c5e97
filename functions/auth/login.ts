// POST /login (/auth/login): a username or an e-mail address, and the password, for a session.
import * as v from 'valibot';
import { type Context, containerContext } from '../../shared/context/context';
import { endpoint } from '../../shared/http/endpoint';
import { originOf } from '../../shared/http/origin';
import { type Reply, reply } from '../../shared/http/reply';
import { exactly, parseBody, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { LoggedIn } from '../../shared/openapi/schemas';
import { limitRate, useByAddress } from '../../shared/rate-limits/limit-rate';
import { logIn } from '../../shared/sign-in/log-in';
import { shownUser } from '../../shared/users/shown-user';

const text = v.pipe(v.string('must be a string'), v.minLength(1, 'must not be empty'));
const Body = v.pipe(
  exactly({ username: v.optional(text), email: v.optional(text), password: text }),
  v.check(
    ({ username, email }) => (username === undefined) !== (email === undefined),
    'must have either a username or an email',
  ),
);

export const operation = {
  summary: 'Log in',
  description: 'A wrong name and a wrong password are the same answer after the same time.',
  auth: 'none',
  body: Body,
  example: { username: 'gorden', password: 'correct horse battery' },
  replies: { 200: { description: 'The user and a new session', body: LoggedIn } },
  errors: ['invalid_credentials', 'rate_limited'],
} satisfies Operation;

export async function login(request: Request, ctx: Context): Promise<Reply> {
  // Before the body is read: a refusal should cost nothing.
  await limitRate(ctx, [useByAddress('loginAddress', request.address)]);
  const { username = '', email, password } = parseBody(request, Body);
  const name = email === undefined ? { username } : { email };
  const { user, tokens } = await logIn(ctx, name, password, originOf(request, null));
  return reply(200, { user: shownUser(user), ...tokens });
}

export const handler = endpoint(containerContext, login);
