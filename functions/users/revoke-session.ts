// DELETE /users/{id}/sessions/{sessionId}: revokes one session of a user.
import { containerContext } from '../../shared/context/context';
import { selfOr } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { path } from '../../shared/http/parts';
import { Id } from '../../shared/http/path';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { revokeSession } from '../../shared/sign-in/revoke-session';

export const documentation = {
  summary: 'Revoke a session',
  description:
    'To revoke another session of your own, use an access token from a login or `POST /step-up` in the last `REAUTH_SECONDS`.',
  replies: { 204: { description: 'The session has ended; its tokens no longer work' } },
  errors: ['reauthentication_required'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: selfOr('users:write'),
  path: path({ sessionId: Id }),
  handle: async ({ ctx, caller, userId, path, origin }) => {
    const sessionId = path.sessionId;
    await revokeSession(ctx, caller, userId, sessionId, origin);
    return reply(204);
  },
});
