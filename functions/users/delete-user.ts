// DELETE /users/{id}: deletes a user, ends their sessions and erases their personal data.
import { deleteUser } from '../../shared/accounts/delete-user';
import { selfOr } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { IfMatch } from '../../shared/http/headers';
import { headers } from '../../shared/http/parts';
import { recordReply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { User } from '../../shared/openapi/schemas';
import { publishingContext } from '../../shared/outbox/publisher';
import { userResponse } from '../../shared/users/user-response';

export const documentation = {
  summary: 'Delete a user',
  description:
    'Ends all sessions, erases personal data and frees the username and the address. To delete yourself, use an access token from a login or `POST /step-up` in the last `REAUTH_SECONDS`.',
  replies: { 200: { description: 'The deleted user', body: User, headers: ['etag'] } },
  errors: ['last_admin', 'reauthentication_required'],
} satisfies Documentation;

export const handler = endpoint({
  context: publishingContext,
  access: selfOr('users:write'),
  headers: headers({ 'if-match': IfMatch }),
  handle: async ({ ctx, caller, userId, headers, origin }) => {
    const user = await deleteUser(ctx, caller, userId, headers['if-match'], origin);
    return recordReply(userResponse(ctx, user, caller));
  },
});
