// GET /users/{id}: a user, for themselves and for callers with `users:read`.
import { containerContext } from '../../shared/context/context';
import { selfOr } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { IfNoneMatch } from '../../shared/http/headers';
import { headers } from '../../shared/http/parts';
import { recordReply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { User } from '../../shared/openapi/schemas';
import { getUser } from '../../shared/users/get-user';
import { suspensionTag, userResponse } from '../../shared/users/user-response';

export const documentation = {
  summary: 'Get a user',
  replies: { 200: { description: 'The user', body: User, headers: ['etag'] } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: selfOr('users:read'),
  headers: headers({ 'if-none-match': IfNoneMatch }),
  handle: async ({ ctx, caller, userId, headers }) => {
    const user = userId === caller.user.id ? caller.user : await getUser(ctx, userId);
    const answer = userResponse(ctx, user, caller);
    return recordReply(answer, headers['if-none-match'], suspensionTag(ctx, user));
  },
});
