// POST /step-up: checks the password again and issues an access token with a recent `auth_time` (RFC 9470).
import * as v from 'valibot';
import { containerContext } from '../../shared/context/context';
import { exactly } from '../../shared/exactly';
import { anyCaller } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { json } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { NewAccessToken } from '../../shared/openapi/schemas';
import { stepUp } from '../../shared/sign-in/step-up';

const Body = exactly({
  password: v.pipe(v.string('must be a string'), v.minLength(1, 'must not be empty')),
});

export const documentation = {
  summary: 'Authenticate again (step-up)',
  description:
    'For requests that fail with 401 `reauthentication_required`: they accept the new access token for `REAUTH_SECONDS` (RFC 9470). Its `auth_time` is the time of this request.',
  example: { password: 'correct horse battery' },
  replies: { 200: { description: 'A new access token for the same session', body: NewAccessToken } },
  errors: ['invalid_credentials', 'rate_limited'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: anyCaller,
  body: json(Body),
  handle: async ({ ctx, caller, body, origin }) => {
    const { password } = body;
    return reply(200, await stepUp(ctx, caller, password, origin));
  },
});
