// GET /roles: every role with its permissions.
import { containerContext } from '../../shared/context/context';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { RoleList } from '../../shared/openapi/schemas';
import { listRoles } from '../../shared/roles/role-store';

export const documentation = {
  summary: 'List roles',
  replies: { 200: { description: 'Every role with its permissions', body: RoleList } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('roles:read'),
  handle: async ({ ctx }) => reply(200, { roles: await listRoles(ctx.db) }),
});
