// DELETE /users/{id}/sessions/{sessionId}: ends one session of a user, everywhere and at once.
import { containerContext } from '../../shared/context/context';
import { selfOr } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { path } from '../../shared/http/parts';
import { Id } from '../../shared/http/path';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { revokeSession } from '../../shared/sign-in/revoke-session';

export const documentation = {
  summary: 'End one session of a user',
  description:
    "Another session of one's own takes a token from a login or `POST /step-up` of the last `REAUTH_SECONDS`.",
  replies: { 204: { description: 'It has ended, everywhere and at once' } },
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
