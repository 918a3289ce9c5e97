// PUT /users/{id}/role: changes a user's role, from their next request on.
import * as v from 'valibot';
import { changeRole } from '../../shared/accounts/change-role';
import { exactly } from '../../shared/exactly';
import { permission, recently } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { IfMatch } from '../../shared/http/headers';
import { headers, json, path } from '../../shared/http/parts';
import { UserRef } from '../../shared/http/path';
import { recordReply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { User } from '../../shared/openapi/schemas';
import { publishingContext } from '../../shared/outbox/publisher';
import { userResponse } from '../../shared/users/user-response';

const Body = exactly({ role: v.string('must be a string') });

export const documentation = {
  summary: "Change a user's role",
  description: "Takes effect with the user's next request, regardless of the role in their access tokens.",
  example: { role: 'admin' },
  replies: { 200: { description: 'The updated user', body: User, headers: ['etag'] } },
  errors: ['last_admin'],
} satisfies Documentation;

export const handler = endpoint({
  context: publishingContext,
  access: recently(permission('roles:write')),
  path: path({ id: UserRef }),
  headers: headers({ 'if-match': IfMatch }),
  body: json(Body),
  handle: async ({ ctx, caller, path, headers, body, origin }) => {
    const id = path.id === 'me' ? caller.user.id : path.id;
    const { role } = body;
    const user = await changeRole(ctx, caller, id, role, headers['if-match'], origin);
    return recordReply(userResponse(ctx, user, caller));
  },
});
