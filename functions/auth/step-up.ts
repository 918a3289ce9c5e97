// POST /step-up: checks again who the caller is and issues an access token with a recent `auth_time` (RFC 9470).
import { containerContext } from '../../shared/context/context';
import { anyCaller } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { json } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { NewAccessToken } from '../../shared/openapi/schemas';
import { StepUpProof } from '../../shared/sign-in/fields';
import { stepUp } from '../../shared/sign-in/step-up';

export const documentation = {
  summary: 'Authenticate again (step-up)',
  description:
    'For requests that fail with 401 `reauthentication_required`: they accept the new access token for `REAUTH_SECONDS` (RFC 9470). Its `auth_time` is the time of this request. Users with a second factor send a `code`, with `type` `totp` or `recovery_code`, and the `password` too if the session has proven no second factor yet. In the place of the password, a mailed code: the `emailToken` of `POST /login/email` and `emailCode`. Instead of all that, anybody who has a passkey can send an `assertion` of it, for the options of `POST /login/passkey/options`.',
  example: { password: 'correct horse battery' },
  replies: { 200: { description: 'A new access token for the same session', body: NewAccessToken } },
  errors: [
    'invalid_credentials',
    'second_factor_required',
    'invalid_code',
    'invalid_assertion',
    'invalid_token',
    'rate_limited',
  ],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: anyCaller,
  body: json(StepUpProof),
  handle: async ({ ctx, caller, body, origin }) => reply(200, await stepUp(ctx, caller, body, origin)),
});
