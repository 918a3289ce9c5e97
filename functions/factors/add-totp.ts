// POST /users/{id}/totp: a secret for an authenticator app, which counts once it is confirmed.
import { containerContext } from '../../shared/context/context';
import { addTotp } from '../../shared/factors/add-totp';
import { self } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { NewTotp } from '../../shared/openapi/schemas';

export const documentation = {
  summary: 'Set up an authenticator app (TOTP)',
  description:
    'Show the QR code, or the secret, and send a code of the app to `POST /users/{id}/totp/confirm`. Nothing changes until then. Requires an access token from a login or `POST /step-up` in the last `REAUTH_SECONDS`.',
  replies: { 201: { description: 'The secret, by RFC 6238: SHA-1, 6 digits, 30 seconds', body: NewTotp } },
  errors: ['forbidden', 'reauthentication_required', 'too_many_factors', 'rate_limited'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: self({ settingUp: true }),
  handle: async ({ ctx, caller }) => reply(201, await addTotp(ctx, caller)),
});
