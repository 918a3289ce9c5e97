// POST /register (/users, /auth/register, /auth/signup, /api/users/register): a new user, logged in at once.
import * as v from 'valibot';
import { registerUser } from '../../shared/accounts/register-user';
import { NewPassword, REPEATS_NAME, repeatsName } from '../../shared/credentials/fields';
import { authorize } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { originOf } from '../../shared/http/origin';
import { type Reply, reply } from '../../shared/http/reply';
import { bearerToken, exactly, idempotencyKey, parseBody, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { LoggedIn } from '../../shared/openapi/schemas';
import { type PublishingContext, publishingContext } from '../../shared/outbox/publisher';
import { limitRate, useByAddress } from '../../shared/rate-limits/limit-rate';
import { authenticateOptional } from '../../shared/sessions/authenticate';
import { DisplayName, Email, Metadata, Username } from '../../shared/users/fields';
import { shownUser } from '../../shared/users/shown-user';

const OptionalEmail = v.optional(v.nullable(Email), null);
const Role = v.optional(v.string('must be a string'), 'user');
/** From a caller without a token it is as unknown as any other field. */
const NoRole = v.optional(v.never('is not a known field'));

/* @__NO_SIDE_EFFECTS__ */
function bodySchema(requireEmail: boolean, anonymous: boolean, appName: string) {
  return v.pipe(
    exactly({
      username: Username,
      email: requireEmail ? Email : OptionalEmail,
      password: NewPassword,
      displayName: v.optional(DisplayName, null),
      metadata: v.optional(Metadata, {}),
      role: anonymous ? NoRole : Role,
    }),
    v.forward(
      v.partialCheck(
        [['username'], ['email'], ['password']],
        ({ password, ...names }) => !repeatsName(password, { ...names, appName }),
        REPEATS_NAME,
      ),
      ['password'],
    ),
  );
}

export const operation = {
  summary: 'Register a user, and log them in',
  description:
    'Of two at once with one name, one gets it. Where `REQUIRE_EMAIL` is false, `email` may be left out or null. `role` is only for callers with `roles:write`.',
  auth: 'optional',
  headers: ['idempotency-key'],
  body: bodySchema(true, false, ''),
  example: { username: 'gorden', email: 'gorden@example.com', password: 'correct horse battery' },
  replies: {
    201: { description: 'The user and their first session', body: LoggedIn, headers: ['location', 'etag'] },
  },
  errors: ['forbidden', 'username_taken', 'email_taken', 'rate_limited'],
} satisfies Operation;

export async function register(request: Request, ctx: PublishingContext): Promise<Reply> {
  const caller = await authenticateOptional(ctx, bearerToken(request));
  // Before the body is read: a refusal should cost nothing. Whoever may change every user may make as many as they like.
  if (!caller?.permissions.has('users:write')) {
    await limitRate(ctx, [useByAddress('registerAddress', request.address)]);
  }
  const key = idempotencyKey(request);
  const { users, mail } = ctx.config;
  const body = parseBody(request, bodySchema(users.requireEmail, caller === null, mail.appName));
  const role = body.role ?? 'user';
  if (caller && role !== 'user') authorize(caller, 'roles:write');
  const { user, tokens, replayed } = await registerUser(
    ctx,
    { ...body, role },
    originOf(request, caller),
    caller?.permissions,
    key,
  );
  return reply(
    201,
    { user: shownUser(user), ...tokens },
    {
      location: `/users/${user.id}`,
      etag: `"${user.version}"`,
      ...(replayed && { 'idempotent-replayed': 'true' }),
    },
  );
}

export const handler = endpoint(publishingContext, register);
