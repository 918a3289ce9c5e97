// DELETE /roles/{name}: deletes a role that no user has.
import * as v from 'valibot';
import { containerContext } from '../../shared/context/context';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { path } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { deleteRole } from '../../shared/roles/delete-role';

export const documentation = {
  summary: 'Delete a role that no user has',
  replies: { 204: { description: 'The role is deleted' } },
  errors: ['built_in_role', 'role_in_use'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('roles:write'),
  path: path({ name: v.string() }),
  handle: async ({ ctx, caller, path, origin }) => {
    await deleteRole(ctx, caller.permissions, path.name, origin);
    return reply(204);
  },
});
