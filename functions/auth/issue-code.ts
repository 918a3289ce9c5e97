// POST /login/code: a code by which an app takes over the session that a hosted page has just opened.
import * as v from 'valibot';
import { containerContext } from '../../shared/context/context';
import { exactly } from '../../shared/exactly';
import { callerOnOwnPage } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { byAddress } from '../../shared/http/limit';
import { json } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { SignInCode } from '../../shared/openapi/schemas';
import { CodeChallenge } from '../../shared/sign-in/code-fields';
import { issueCode } from '../../shared/sign-in/issue-code';

const Body = exactly({
  refreshToken: v.string('must be a string'),
  returnTo: v.string('must be a string'),
  codeChallenge: v.optional(CodeChallenge),
});

export const documentation = {
  summary: 'Get a code for the app to return to',
  description:
    'For the hosted pages only: it requires their `Origin`, an access token from a login in the last `REAUTH_SECONDS`, and the refresh token of the same session. `returnTo` is one of `RETURN_URLS`.',
  example: { refreshToken: '…', returnTo: 'https://app.example.com/signed-in' },
  replies: { 201: { description: 'A code, and the URL to go to with it', body: SignInCode } },
  errors: ['invalid_refresh_token', 'reauthentication_required', 'forbidden', 'second_factor_setup_required'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: callerOnOwnPage,
  limit: byAddress('refreshAddress'),
  body: json(Body),
  handle: async ({ ctx, caller, body: { codeChallenge = null, ...rest } }) => {
    const code = await issueCode(ctx, caller, { ...rest, codeChallenge });
    return reply(201, { code, returnTo: rest.returnTo });
  },
});
