// PUT /users/{id}/passkeys/{passkeyId}: gives a passkey another name.
import { containerContext } from '../../shared/context/context';
import { self } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { json, path } from '../../shared/http/parts';
import { Id } from '../../shared/http/path';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { Passkey } from '../../shared/openapi/schemas';
import { PasskeyName } from '../../shared/passkeys/fields';
import { renamePasskey } from '../../shared/passkeys/rename-passkey';

export const documentation = {
  summary: 'Rename a passkey',
  example: { name: 'Laptop' },
  replies: { 200: { description: 'The passkey', body: Passkey } },
  errors: ['forbidden', 'rate_limited'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: self({ settingUp: true }),
  path: path({ passkeyId: Id }),
  body: json(PasskeyName),
  handle: async ({ ctx, caller, path, body }) => {
    const { passkeyId } = path;
    return reply(200, await renamePasskey(ctx, caller, passkeyId, body.name));
  },
});
