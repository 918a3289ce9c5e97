// PUT /users/{id}/password: changes a password. Users must send their current one. Ends all of the user's sessions.
import * as v from 'valibot';
import { changePassword } from '../../shared/accounts/change-password';
import { exactly } from '../../shared/exactly';
import { selfOr } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { IfMatch } from '../../shared/http/headers';
import { headers, json } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { SessionTokens } from '../../shared/openapi/schemas';
import { publishingContext } from '../../shared/outbox/publisher';
import { NewPassword } from '../../shared/passwords/fields';

const Body = exactly({ currentPassword: v.optional(v.string('must be a string')), newPassword: NewPassword });

export const documentation = {
  summary: 'Change a password',
  description:
    "To change your own password, send `currentPassword`. If you have none, or a second factor, the access token must be from a login or `POST /step-up` in the last `REAUTH_SECONDS`; likewise to set another user's. All of the user's sessions end; if the password is your own, the response contains a new session.",
  replies: {
    200: { description: 'Your own password was changed: the tokens of a new session', body: SessionTokens },
    204: { description: "Another user's password was changed" },
  },
  errors: ['invalid_credentials', 'reauthentication_required', 'rate_limited'],
} satisfies Documentation;

export const handler = endpoint({
  context: publishingContext,
  access: selfOr('users:write'),
  headers: headers({ 'if-match': IfMatch }),
  body: json(Body),
  handle: async ({ ctx, caller, userId, headers, body, origin }) => {
    const { currentPassword, newPassword } = body;
    const change = { currentPassword, newPassword };
    const tokens = await changePassword(ctx, caller, userId, change, headers['if-match'], origin);
    return tokens ? reply(200, tokens) : reply(204);
  },
});
