// GET /roles: every role with its permissions.
import { type Context, containerContext } from '../../shared/context/context';
import { authorize } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { type Reply, reply } from '../../shared/http/reply';
import { bearerToken, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { RoleList } from '../../shared/openapi/schemas';
import { listRoles } from '../../shared/roles/role-store';
import { authenticate } from '../../shared/sessions/authenticate';

export const operation = {
  summary: 'List roles',
  auth: 'bearer',
  permission: 'roles:read',
  replies: { 200: { description: 'Every role with its permissions', body: RoleList } },
} satisfies Operation;

export async function listAllRoles(request: Request, ctx: Context): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  authorize(caller, 'roles:read');
  return reply(200, { roles: await listRoles(ctx.db) });
}

export const handler = endpoint(containerContext, listAllRoles);
