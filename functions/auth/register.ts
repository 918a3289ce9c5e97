// POST /register (/users, /auth/register, /auth/signup, /api/users/register): registers a user and logs them in.

import { optionalCaller } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { IdempotencyKey } from '../../shared/http/headers';
import { byAddress } from '../../shared/http/limit';
import { headers, json } from '../../shared/http/parts';
import { createdReply } from '../../shared/http/reply';
import { type Documentation, REGISTRATION_ERRORS } from '../../shared/openapi/documentation';
import { LoggedIn } from '../../shared/openapi/schemas';
import { publishingContext } from '../../shared/outbox/publisher';
import { registerUser } from '../../shared/registration/register-user';
import { DEFAULT_CONFIG, registrationBody } from '../../shared/registration/registration-body';
import { userResponse } from '../../shared/users/user-response';

export const documentation = {
  summary: 'Register a user and log them in',
  description:
    'If `REQUIRE_EMAIL` is false, `email` may be omitted or null. If `EMAIL_LOGIN` is on, `password` may be omitted. Only callers with `roles:write` may send `role`; another one than `user` requires an access token from a login or `POST /step-up` in the last `REAUTH_SECONDS`.',
  body: /* @__PURE__ */ registrationBody(DEFAULT_CONFIG, false),
  example: { username: 'gorden', email: 'gorden@example.com', password: 'correct horse battery' },
  replies: { 201: { description: 'The user, logged in', body: LoggedIn, headers: ['location', 'etag'] } },
  errors: REGISTRATION_ERRORS,
} satisfies Documentation;

export const handler = endpoint({
  context: publishingContext,
  access: optionalCaller,
  // Administrators may register as many users as they like.
  limit: byAddress('registerAddress', 'users:write'),
  headers: headers({ 'idempotency-key': IdempotencyKey }),
  body: ({ config }, { caller }) => json(registrationBody(config, caller === null)),
  handle: async ({ ctx, caller, headers, body, origin }) => {
    const key = headers['idempotency-key'];
    const { user, tokens, replayed } = await registerUser(ctx, body, origin, caller, key);
    const answer = { user: userResponse(ctx, user), ...tokens };
    const replayHeader = replayed ? { 'idempotent-replayed': 'true' } : {};
    return createdReply(`/users/${user.id}`, user, answer, replayHeader);
  },
});
