// POST /login/passkey: logs in with a passkey.
import { containerContext } from '../../shared/context/context';
import { anyone } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { byAddress } from '../../shared/http/limit';
import { json } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { LoggedIn } from '../../shared/openapi/schemas';
import { PasskeyLogin } from '../../shared/passkeys/fields';
import { logInWithPasskey } from '../../shared/sign-in/log-in-with-passkey';
import { userResponse } from '../../shared/users/user-response';

export const documentation = {
  summary: 'Log in with a passkey',
  description:
    'Send what `toJSON()` of the credential returns, with the options of `POST /login/passkey/options`. A passkey is two factors, so nothing else is asked for.',
  replies: { 200: { description: 'The user and a new session', body: LoggedIn } },
  errors: ['invalid_assertion', 'user_suspended'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: anyone,
  limit: byAddress('passkeyAddress'),
  body: json(PasskeyLogin),
  handle: async ({ ctx, body, origin }) => {
    const { user, tokens } = await logInWithPasskey(ctx, body.assertion, origin);
    return reply(200, { user: userResponse(ctx, user), ...tokens });
  },
});
