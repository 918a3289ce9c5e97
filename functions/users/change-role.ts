// PUT /users/{id}/role: gives a user another role, which counts at their next request.
import * as v from 'valibot';
import { changeRole } from '../../shared/accounts/change-role';
import { authorize } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { readIfMatch } from '../../shared/http/if-match';
import { originOf } from '../../shared/http/origin';
import { type Reply, recordReply } from '../../shared/http/reply';
import { bearerToken, exactly, parseBody, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { User } from '../../shared/openapi/schemas';
import { type PublishingContext, publishingContext } from '../../shared/outbox/publisher';
import { authenticate } from '../../shared/sessions/authenticate';
import { shownUser } from '../../shared/users/shown-user';

const Body = exactly({ role: v.string('must be a string') });

export const operation = {
  summary: 'Give a user another role',
  description: 'It counts at their next request, whatever their tokens say.',
  auth: 'bearer',
  permission: 'roles:write',
  headers: ['if-match'],
  body: Body,
  example: { role: 'admin' },
  replies: { 200: { description: 'The user as it is now', body: User, headers: ['etag'] } },
  errors: ['last_admin'],
} satisfies Operation;

export async function changeUserRole(request: Request, ctx: PublishingContext): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  authorize(caller, 'roles:write');
  const id = request.params['id'] === 'me' ? caller.user.id : (request.params['id'] ?? '');
  const { role } = parseBody(request, Body);
  const user = await changeRole(ctx, caller, id, role, readIfMatch(request), originOf(request, caller));
  return recordReply(shownUser(user));
}

export const handler = endpoint(publishingContext, changeUserRole);
