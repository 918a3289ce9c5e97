// POST /users/{id}/totp/confirm: makes an authenticator app count, with a code that it shows.
import { containerContext } from '../../shared/context/context';
import { confirmTotp } from '../../shared/factors/confirm-totp';
import { TotpCode } from '../../shared/factors/fields';
import { self } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { json } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { ConfirmedFactor } from '../../shared/openapi/schemas';

export const documentation = {
  summary: 'Confirm an authenticator app',
  description: 'From then on, a login asks for a second factor. Create recovery codes next.',
  example: { code: '123456' },
  replies: { 200: { description: 'The factor counts', body: ConfirmedFactor } },
  errors: ['forbidden', 'not_found', 'reauthentication_required', 'invalid_code', 'rate_limited'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: self({ settingUp: true }),
  body: json(TotpCode),
  handle: async ({ ctx, caller, body, origin }) =>
    reply(200, { factorId: await confirmTotp(ctx, caller, body.code, origin) }),
});
