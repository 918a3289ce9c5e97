// DELETE /users/{id}: deletes a user, ends their sessions and erases their personal data. Answers with who it was.

import { deleteUser } from '../../shared/accounts/delete-user';
import { authorizeSelfOr } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { readIfMatch } from '../../shared/http/if-match';
import { originOf } from '../../shared/http/origin';
import { type Reply, recordReply } from '../../shared/http/reply';
import { bearerToken, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { User } from '../../shared/openapi/schemas';
import { type PublishingContext, publishingContext } from '../../shared/outbox/publisher';
import { authenticate } from '../../shared/sessions/authenticate';
import { shownUser } from '../../shared/users/shown-user';

export const operation = {
  summary: 'Delete a user',
  description:
    'Sessions end, personal data is erased, and the username and the address are free again. To delete oneself takes a token from a login or `POST /step-up` of the last `REAUTH_SECONDS`.',
  auth: 'bearer',
  permission: 'users:write',
  orSelf: true,
  headers: ['if-match'],
  replies: { 200: { description: 'The user as it was', body: User, headers: ['etag'] } },
  errors: ['last_admin', 'reauthentication_required'],
} satisfies Operation;

export async function deleteUserById(request: Request, ctx: PublishingContext): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  const id = authorizeSelfOr(caller, request.params['id'], 'users:write');
  const user = await deleteUser(ctx, caller, id, readIfMatch(request), originOf(request, caller));
  return recordReply(shownUser(user));
}

export const handler = endpoint(publishingContext, deleteUserById);
