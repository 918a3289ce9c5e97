// PUT /users/{id}: changes a user. Fields that are not sent stay; If-Match keeps one writer from undoing another's work.
import { updateUser } from '../../shared/accounts/update-user';
import { UserUpdateBody, UserUpdateBodyWithOptionalEmail } from '../../shared/accounts/user-update-body';
import { selfOr } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { IfMatch } from '../../shared/http/headers';
import { headers, json } from '../../shared/http/parts';
import { recordReply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { User } from '../../shared/openapi/schemas';
import { publishingContext } from '../../shared/outbox/publisher';
import { shownUser } from '../../shared/users/shown-user';

export const documentation = {
  summary: 'Change a user',
  description:
    "Fields that are not sent stay. Another `email` of one's own takes the `currentPassword` and is the `pendingEmail` until the link that is sent to it is used; the address in use is told, with a link that stops the change. `pendingEmail: null` gives it up. An administrator sets another user's `email` at once, unverified. Another `username` of one's own takes the `currentPassword`, or a token from a login or `POST /step-up` of the last `REAUTH_SECONDS`. Where `REQUIRE_EMAIL` is false, `email` may be null.",
  body: UserUpdateBody,
  example: { displayName: 'Gorden', metadata: { plan: 'pro' } },
  replies: { 200: { description: 'The user as it is now', body: User, headers: ['etag'] } },
  errors: [
    'username_taken',
    'email_taken',
    'invalid_credentials',
    'reauthentication_required',
    'rate_limited',
  ],
} satisfies Documentation;

export const handler = endpoint({
  context: publishingContext,
  access: selfOr('users:write'),
  headers: headers({ 'if-match': IfMatch }),
  body: ({ config }) => json(config.users.requireEmail ? UserUpdateBody : UserUpdateBodyWithOptionalEmail),
  handle: async ({ ctx, caller, userId, headers, body, origin }) => {
    const user = await updateUser(ctx, caller, userId, body, headers['if-match'], origin);
    return recordReply(shownUser(user));
  },
});
