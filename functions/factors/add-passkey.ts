// POST /users/{id}/passkeys: registers a passkey.
import { containerContext } from '../../shared/context/context';
import { self } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { json } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { Passkey } from '../../shared/openapi/schemas';
import { addPasskey } from '../../shared/passkeys/add-passkey';
import { NewPasskey } from '../../shared/passkeys/fields';

export const documentation = {
  summary: 'Add a passkey',
  description:
    'Send what `toJSON()` of the new credential returns, with the options of `POST /users/{id}/passkeys/options`. From then on, a login by another way asks for a second factor. Create recovery codes next.',
  replies: { 201: { description: 'The passkey', body: Passkey } },
  errors: [
    'forbidden',
    'reauthentication_required',
    'invalid_passkey',
    'passkey_taken',
    'too_many_factors',
    'rate_limited',
  ],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: self({ settingUp: true }),
  body: json(NewPasskey),
  handle: async ({ ctx, caller, body, origin }) => reply(201, await addPasskey(ctx, caller, body, origin)),
});
