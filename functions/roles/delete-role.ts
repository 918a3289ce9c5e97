// DELETE /roles/{name}: takes a role away that nobody holds.
import { type Context, containerContext } from '../../shared/context/context';
import { authorize } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { originOf } from '../../shared/http/origin';
import { type Reply, reply } from '../../shared/http/reply';
import { bearerToken, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { deleteRole } from '../../shared/roles/delete-role';
import { authenticate } from '../../shared/sessions/authenticate';

export const operation = {
  summary: 'Delete a role that nobody holds',
  auth: 'bearer',
  permission: 'roles:write',
  replies: { 204: { description: 'It is gone' } },
  errors: ['built_in_role', 'role_in_use'],
} satisfies Operation;

export async function deleteRoleByName(request: Request, ctx: Context): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  authorize(caller, 'roles:write');
  await deleteRole(ctx, caller.permissions, request.params['name'] ?? '', originOf(request, caller));
  return reply(204);
}

export const handler = endpoint(containerContext, deleteRoleByName);
