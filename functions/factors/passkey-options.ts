// POST /users/{id}/passkeys/options: what a browser needs to create a passkey.
import { containerContext } from '../../shared/context/context';
import { self } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { PasskeyCreationOptions } from '../../shared/openapi/schemas';
import { creationOptions } from '../../shared/passkeys/creation-options';

export const documentation = {
  summary: 'Add a passkey: options for the browser',
  description:
    'For `navigator.credentials.create`, once and within 5 minutes. Requires an access token from a login or `POST /step-up` in the last `REAUTH_SECONDS`.',
  replies: { 200: { description: 'The options', body: PasskeyCreationOptions } },
  errors: ['forbidden', 'reauthentication_required', 'too_many_factors', 'rate_limited'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: self({ settingUp: true }),
  handle: async ({ ctx, caller }) => reply(200, { options: await creationOptions(ctx, caller) }),
});
