// POST /reset-password: sets a new password with the token of a reset email. Ends all of the user's sessions.
import * as v from 'valibot';
import { resetPassword } from '../../shared/accounts/reset-password';
import { exactly } from '../../shared/exactly';
import { anyone } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { byAddress } from '../../shared/http/limit';
import { json } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { UserAnswer } from '../../shared/openapi/schemas';
import { publishingContext } from '../../shared/outbox/publisher';
import { NewPassword } from '../../shared/passwords/fields';
import { userResponse } from '../../shared/users/user-response';

const Body = exactly({ token: v.string('must be a string'), password: NewPassword });

export const documentation = {
  summary: 'Set a new password with the token of a reset email',
  description: "Ends all of the user's sessions.",
  replies: { 200: { description: 'The user', body: UserAnswer, headers: ['etag'] } },
  errors: ['invalid_token'],
} satisfies Documentation;

export const handler = endpoint({
  context: publishingContext,
  access: anyone,
  limit: byAddress('mailAddress'),
  body: json(Body),
  handle: async ({ ctx, body, origin }) => {
    const { token, password } = body;
    const user = await resetPassword(ctx, token, password, origin);
    return reply(200, { user: userResponse(ctx, user) }, { etag: `"${user.version}"` });
  },
});
