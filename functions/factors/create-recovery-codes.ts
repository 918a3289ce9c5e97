// POST /users/{id}/recovery-codes: ten codes for logins without the authenticator app, in the place of earlier ones.
import { containerContext } from '../../shared/context/context';
import { createRecoveryCodes } from '../../shared/factors/create-recovery-codes';
import { self } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { RecoveryCodes } from '../../shared/openapi/schemas';

export const documentation = {
  summary: 'Create recovery codes',
  description:
    'Ten, each for one login or step-up. Earlier ones stop working. Requires an access token from a login or `POST /step-up` in the last `REAUTH_SECONDS`.',
  replies: { 201: { description: 'The codes, which are not shown again', body: RecoveryCodes } },
  errors: ['forbidden', 'reauthentication_required', 'no_second_factor', 'rate_limited'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: self({ settingUp: true }),
  handle: async ({ ctx, caller, origin }) =>
    reply(201, { codes: await createRecoveryCodes(ctx, caller, origin) }),
});
