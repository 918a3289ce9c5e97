// POST /undo-email-change: restores the previous address and sets a new password, with the token of the notice.
import * as v from 'valibot';
import { undoEmailChange } from '../../shared/email-addresses/undo-email-change';
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
  summary: 'Cancel or undo an email address change',
  description:
    "Takes the token of the notice that was sent to the previous address; it is valid for `UNDO_EMAIL_CHANGE_SECONDS`. Sets a new password, because whoever requested the change knew the old one, ends all of the user's sessions and invalidates all other links.",
  replies: {
    200: { description: 'The user, with the previous address', body: UserAnswer, headers: ['etag'] },
  },
  errors: ['invalid_token', 'email_taken'],
} satisfies Documentation;

export const handler = endpoint({
  context: publishingContext,
  access: anyone,
  limit: byAddress('mailAddress'),
  body: json(Body),
  handle: async ({ ctx, body, origin }) => {
    const { token, password } = body;
    const user = await undoEmailChange(ctx, token, password, origin);
    return reply(200, { user: userResponse(ctx, user) }, { etag: `"${user.version}"` });
  },
});
