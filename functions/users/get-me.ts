// GET /users/me: the current user and their permissions, which the query that authenticates has already read.
import { containerContext } from '../../shared/context/context';
import { anyCaller } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { IfNoneMatch } from '../../shared/http/headers';
import { headers } from '../../shared/http/parts';
import { recordReply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { Me } from '../../shared/openapi/schemas';
import { permissionTag } from '../../shared/roles/permissions';
import { userResponse } from '../../shared/users/user-response';

export const documentation = {
  summary: 'Get the current user',
  replies: { 200: { description: 'The current user', body: Me, headers: ['etag'] } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: anyCaller,
  headers: headers({ 'if-none-match': IfNoneMatch }),
  handle: async ({ ctx, caller: { user, permissions }, headers }) => {
    const me = { ...userResponse(ctx, user), permissions: [...permissions] };
    return recordReply(me, headers['if-none-match'], permissionTag(permissions));
  },
});
