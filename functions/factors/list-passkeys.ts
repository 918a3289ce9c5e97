// GET /users/{id}/passkeys: a user's passkeys, for themselves and for callers with `users:write`.
import { containerContext } from '../../shared/context/context';
import { selfOr } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { PasskeyList } from '../../shared/openapi/schemas';
import { listPasskeys } from '../../shared/passkeys/list-passkeys';

export const documentation = {
  summary: "List a user's passkeys",
  replies: { 200: { description: 'The passkeys, the oldest first', body: PasskeyList } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: selfOr('users:write', { settingUp: true }),
  handle: async ({ ctx, caller, userId }) =>
    reply(200, { passkeys: await listPasskeys(ctx, caller, userId) }),
});
