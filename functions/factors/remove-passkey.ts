// DELETE /users/{id}/passkeys/{passkeyId}: removes a passkey, one's own or, with `users:write`, another user's.
import { removePasskey } from '../../shared/accounts/remove-passkey';
import { containerContext } from '../../shared/context/context';
import { selfOr } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { path } from '../../shared/http/parts';
import { Id } from '../../shared/http/path';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';

export const documentation = {
  summary: 'Remove a passkey',
  description:
    'Use an access token from a login or `POST /step-up` in the last `REAUTH_SECONDS`. The last way to sign in stays: set a password first. With the last second factor, the recovery codes are deleted. The passkey stays in its authenticator, which cannot be reached; tell the browser with `PublicKeyCredential.signalUnknownCredential`.',
  replies: { 204: { description: 'The passkey no longer works' } },
  errors: ['reauthentication_required', 'last_sign_in_method', 'rate_limited'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: selfOr('users:write', { settingUp: true }),
  path: path({ passkeyId: Id }),
  handle: async ({ ctx, caller, userId, path, origin }) => {
    const { passkeyId } = path;
    await removePasskey(ctx, caller, userId, passkeyId, origin);
    return reply(204);
  },
});
