// PUT /roles/{name}: makes a role, or gives it other permissions, which count at the next request of its users.
import * as v from 'valibot';
import { type Context, containerContext } from '../../shared/context';
import { authorize } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { type Reply, reply } from '../../shared/http/reply';
import { bearerToken, exactly, parseBody, type Request } from '../../shared/http/request';
import { PERMISSIONS } from '../../shared/roles/permissions';
import { putRole } from '../../shared/roles/put-role';
import { authenticate } from '../../shared/sessions/authenticate';

const Body = exactly({
  permissions: v.array(v.picklist(PERMISSIONS, `must be one of ${PERMISSIONS.join(', ')}`), 'must be a list'),
});

export async function putRoleByName(request: Request, ctx: Context): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  authorize(caller, 'roles:write');
  const { permissions } = parseBody(request, Body);
  const { role, created } = await putRole(ctx, caller, request.params['name'] ?? '', permissions);
  return reply(created ? 201 : 200, role);
}

export const handler = endpoint(containerContext, putRoleByName);
