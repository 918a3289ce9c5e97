// POST /logout (/auth/logout): ends the caller's session, or all of them. Their access tokens stop working at once.
import * as v from 'valibot';
import { containerContext } from '../../shared/context/context';
import { exactly } from '../../shared/exactly';
import { anyCaller } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { json } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { LoggedOut } from '../../shared/openapi/schemas';
import { logOut } from '../../shared/sign-in/log-out';

const Body = exactly({
  all: v.optional(v.boolean('must be true or false'), false),
  currentPassword: v.optional(v.string('must be a string')),
});

export const documentation = {
  summary: 'Log out of this session or of all sessions',
  description:
    'Access tokens of the ended sessions stop working at once. `all` requires `currentPassword`, or an access token from a login or `POST /step-up` in the last `REAUTH_SECONDS`.',
  replies: { 200: { description: 'The session has ended', body: LoggedOut } },
  errors: ['reauthentication_required', 'invalid_credentials', 'rate_limited'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: anyCaller,
  body: json(v.optional(Body, {})),
  handle: async ({ ctx, caller, body, origin }) => {
    await logOut(ctx, caller, body, origin);
    return reply(200, { status: 'logout successful' });
  },
});
