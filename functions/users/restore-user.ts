// DELETE /users/{id}/suspension: restores a suspended user.
import { restoreUser } from '../../shared/accounts/restore-user';
import { permission, recently } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { IfMatch } from '../../shared/http/headers';
import { headers, path } from '../../shared/http/parts';
import { UserRef } from '../../shared/http/path';
import { recordReply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { User } from '../../shared/openapi/schemas';
import { publishingContext } from '../../shared/outbox/publisher';
import { userResponse } from '../../shared/users/user-response';

export const documentation = {
  summary: 'Restore a suspended user',
  description: 'They can sign in again. 404 if the user is not suspended.',
  replies: { 200: { description: 'The restored user', body: User, headers: ['etag'] } },
} satisfies Documentation;

export const handler = endpoint({
  context: publishingContext,
  access: recently(permission('users:write')),
  path: path({ id: UserRef }),
  headers: headers({ 'if-match': IfMatch }),
  handle: async ({ ctx, caller, path, headers, origin }) => {
    const id = path.id === 'me' ? caller.user.id : path.id;
    const user = await restoreUser(ctx, caller, id, headers['if-match'], origin);
    return recordReply(userResponse(ctx, user, caller));
  },
});
