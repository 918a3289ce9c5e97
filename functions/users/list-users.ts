// GET /users: users, newest first, filtered by a prefix of username or email address, by role or by suspension.
import { containerContext } from '../../shared/context/context';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { pageOf } from '../../shared/http/page';
import { query } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import { UsersQuery } from '../../shared/http/users-query';
import type { Documentation } from '../../shared/openapi/documentation';
import { UserList } from '../../shared/openapi/schemas';
import { listUsers } from '../../shared/users/user-list-store';
import { userResponse } from '../../shared/users/user-response';

export const documentation = {
  summary: 'List users',
  description:
    '`q` is a prefix of a username or an email address, case-insensitive; `suspended`: whether they are suspended now.',
  replies: { 200: { description: 'A page of users, newest first', body: UserList } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('users:read'),
  query: query(UsersQuery),
  handle: async ({ ctx, caller, query }) => {
    const { q: prefix, limit, cursor, ...filter } = query;
    const users = await listUsers(ctx.db, { ...filter, prefix }, limit + 1, cursor, ctx.now());
    const page = pageOf(users, limit, (user) => user.id);
    const shown = page.items.map((user) => userResponse(ctx, user, caller));
    return reply(200, { users: shown, nextCursor: page.nextCursor });
  },
});
