// PUT /users/{id}: updates the fields that are sent. If-Match prevents lost updates.
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
import { userResponse } from '../../shared/users/user-response';

export const documentation = {
  summary: 'Update a user',
  description:
    "Omitted fields keep their values. To change your own `email`, send `currentPassword`; if you have no password, or a second factor, also use an access token from a login or `POST /step-up` in the last `REAUTH_SECONDS`, as for another user's. The new address is the `pendingEmail` until you open the link sent to it; the current address gets a notice with a link that cancels the change, and `pendingEmail: null` cancels it too. An administrator's change of another user's `email` takes effect at once, unverified. `emailVerified: true` verifies the address and requires `users:write`. To change your own `username`, send `currentPassword`, or use an access token from a login or `POST /step-up` in the last `REAUTH_SECONDS`. If `REQUIRE_EMAIL` is false, `email` may be null.",
  body: UserUpdateBody,
  example: { displayName: 'Gorden', metadata: { plan: 'pro' } },
  replies: { 200: { description: 'The updated user', body: User, headers: ['etag'] } },
  errors: [
    'username_taken',
    'email_taken',
    'last_sign_in_method',
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
    return recordReply(userResponse(ctx, user, caller));
  },
});
