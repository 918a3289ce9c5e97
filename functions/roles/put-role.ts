// PUT /roles/{name}: creates a role or replaces its permissions, from its users' next requests on.
import * as v from 'valibot';
import { containerContext } from '../../shared/context/context';
import { exactly } from '../../shared/exactly';
import { permission, recently } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { json, path } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { Role } from '../../shared/openapi/schemas';
import { PERMISSIONS } from '../../shared/roles/permissions';
import { putRole } from '../../shared/roles/put-role';

const Body = exactly({
  permissions: v.array(v.picklist(PERMISSIONS, `must be one of ${PERMISSIONS.join(', ')}`), 'must be a list'),
  requiresFactor: v.optional(v.boolean('must be true or false')),
});

export const documentation = {
  summary: 'Create or replace a role',
  description:
    "The permissions take effect with the users' next requests. The permissions of `user` and `admin` are fixed: send those that they have, to change their `requiresFactor`. With `requiresFactor`, its users can only set up a second factor until they have one.",
  example: { permissions: ['users:read'] },
  replies: {
    200: { description: 'The updated role', body: Role },
    201: { description: 'The new role', body: Role },
  },
  errors: ['built_in_role'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: recently(permission('roles:write')),
  path: path({ name: v.string() }),
  body: json(Body),
  handle: async ({ ctx, caller, path, body, origin }) => {
    const { role, created } = await putRole(ctx, caller.permissions, path.name, body, origin);
    return reply(created ? 201 : 200, role);
  },
});
