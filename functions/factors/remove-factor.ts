// DELETE /users/{id}/factors/{factorId}: removes a second factor, one's own or, with `users:write`, another user's.
import { containerContext } from '../../shared/context/context';
import { removeFactor } from '../../shared/factors/remove-factor';
import { selfOr } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { path } from '../../shared/http/parts';
import { Id } from '../../shared/http/path';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';

export const documentation = {
  summary: 'Remove a second factor',
  description:
    'Use an access token from a login or `POST /step-up` in the last `REAUTH_SECONDS`, which ask for a code if you have a factor. Without the last factor, a login asks for the password alone, and the recovery codes are deleted.',
  replies: { 204: { description: 'The factor is removed' } },
  errors: ['reauthentication_required', 'rate_limited'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: selfOr('users:write', { settingUp: true }),
  path: path({ factorId: Id }),
  handle: async ({ ctx, caller, userId, path, origin }) => {
    const { factorId } = path;
    await removeFactor(ctx, caller, userId, factorId, origin);
    return reply(204);
  },
});
