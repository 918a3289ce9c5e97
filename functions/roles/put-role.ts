// PUT /roles/{name}: makes a role, or gives it other permissions, which count at the next request of its users.
import * as v from 'valibot';
import { type Context, containerContext } from '../../shared/context/context';
import { authorize } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { originOf } from '../../shared/http/origin';
import { type Reply, reply } from '../../shared/http/reply';
import { bearerToken, exactly, parseBody, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { Role } from '../../shared/openapi/schemas';
import { PERMISSIONS } from '../../shared/roles/permissions';
import { putRole } from '../../shared/roles/put-role';
import { authenticate } from '../../shared/sessions/authenticate';

const Body = exactly({
  permissions: v.array(v.picklist(PERMISSIONS, `must be one of ${PERMISSIONS.join(', ')}`), 'must be a list'),
});

export const operation = {
  summary: 'Make a role, or give it other permissions',
  description: 'They count at the next request of its users. `user` and `admin` are fixed.',
  auth: 'bearer',
  permission: 'roles:write',
  body: Body,
  example: { permissions: ['users:read'] },
  replies: {
    200: { description: 'The role as it is now', body: Role },
    201: { description: 'The new role', body: Role },
  },
  errors: ['built_in_role'],
} satisfies Operation;

export async function putRoleByName(request: Request, ctx: Context): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  authorize(caller, 'roles:write');
  const { permissions } = parseBody(request, Body);
  const name = request.params['name'] ?? '';
  const { role, created } = await putRole(
    ctx,
    caller.permissions,
    name,
    permissions,
    originOf(request, caller),
  );
  return reply(created ? 201 : 200, role);
}

export const handler = endpoint(containerContext, putRoleByName);
