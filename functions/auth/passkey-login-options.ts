// POST /login/passkey/options: a challenge for passkeys, before anybody has said who they are.
import { containerContext } from '../../shared/context/context';
import { anyone } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { byAddress } from '../../shared/http/limit';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { PasskeyRequestOptions } from '../../shared/openapi/schemas';
import { requestOptions } from '../../shared/passkeys/request-options';

export const documentation = {
  summary: 'Log in with a passkey: options for the browser',
  description:
    'For `navigator.credentials.get`, also with `mediation: "conditional"`. The assertion is for one of `POST /login/passkey`, `POST /login/factor` and `POST /step-up`, once and within 5 minutes.',
  replies: { 200: { description: 'The options', body: PasskeyRequestOptions } },
  errors: ['unavailable'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: anyone,
  limit: byAddress('passkeyAddress'),
  handle: async ({ ctx }) => reply(200, { options: await requestOptions(ctx) }),
});
