// DELETE /users/{id}/sessions: revokes all sessions of a user.
import { containerContext } from '../../shared/context/context';
import { selfOr } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { RevokedSessions } from '../../shared/openapi/schemas';
import { revokeSessions } from '../../shared/sign-in/revoke-session';

export const documentation = {
  summary: 'Revoke all sessions',
  description:
    'To revoke your own, this one included, use an access token from a login or `POST /step-up` in the last `REAUTH_SECONDS`.',
  replies: {
    200: { description: 'The sessions have ended; their tokens no longer work', body: RevokedSessions },
  },
  errors: ['reauthentication_required'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: selfOr('users:write'),
  handle: async ({ ctx, caller, userId, origin }) =>
    reply(200, { revoked: await revokeSessions(ctx, caller, userId, origin) }),
});
