// POST /register (/users, /auth/register, /auth/signup, /api/users/register): a new user, logged in at once.
import { registerUser } from '../../shared/accounts/register-user';
import { registrationBody } from '../../shared/accounts/registration-body';
import { optionalCaller } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { IdempotencyKey } from '../../shared/http/headers';
import { byAddress } from '../../shared/http/limit';
import { headers, json } from '../../shared/http/parts';
import { createdReply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { LoggedIn } from '../../shared/openapi/schemas';
import { publishingContext } from '../../shared/outbox/publisher';
import { shownUser } from '../../shared/users/shown-user';

export const documentation = {
  summary: 'Register a user, and log them in',
  description:
    'Of two at once with one name, one gets it. Where `REQUIRE_EMAIL` is false, `email` may be left out or null. `role` is only for callers with `roles:write`.',
  body: /* @__PURE__ */ registrationBody({ users: { requireEmail: true }, mail: { appName: '' } }, false),
  example: { username: 'gorden', email: 'gorden@example.com', password: 'correct horse battery' },
  replies: { 201: { description: 'The user, logged in', body: LoggedIn, headers: ['location', 'etag'] } },
  errors: ['forbidden', 'username_taken', 'email_taken'],
} satisfies Documentation;

export const handler = endpoint({
  context: publishingContext,
  access: optionalCaller,
  // Whoever may change every user may register as many as they like.
  limit: byAddress('registerAddress', 'users:write'),
  headers: headers({ 'idempotency-key': IdempotencyKey }),
  body: ({ config }, { caller }) => json(registrationBody(config, caller === null)),
  handle: async ({ ctx, caller, headers, body, origin }) => {
    const key = headers['idempotency-key'];
    const done = await registerUser(ctx, body, origin, caller?.permissions, key);
    const { user, tokens, replayed } = done;
    const answer = { user: shownUser(user), ...tokens };
    const replayHeader = replayed ? { 'idempotent-replayed': 'true' } : {};
    return createdReply(`/users/${user.id}`, user, answer, replayHeader);
  },
});
