// GET /users/{id}/factors: a user's second factors, for themselves and for callers with `users:write`.

import { containerContext } from '../../shared/context/context';
import { listFactors } from '../../shared/factors/list-factors';
import { selfOr } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { FactorList } from '../../shared/openapi/schemas';

export const documentation = {
  summary: "List a user's second factors",
  replies: { 200: { description: 'The confirmed factors, the oldest first', body: FactorList } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: selfOr('users:write', { settingUp: true }),
  handle: async ({ ctx, caller, userId }) => reply(200, await listFactors(ctx, caller, userId)),
});
