// GET /users: users, newest first, filtered by a prefix of username or email address, or by role.
import * as v from 'valibot';
import { maxCharacters } from '../../shared/characters';
import { containerContext } from '../../shared/context/context';
import { exactly } from '../../shared/exactly';
import { permission } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { Cursor, Limit, pageOf } from '../../shared/http/page';
import { query } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { UserList } from '../../shared/openapi/schemas';
import { UserId } from '../../shared/users/fields';
import { listUsers } from '../../shared/users/user-list-store';
import { userResponse } from '../../shared/users/user-response';

const Query = exactly({
  q: v.optional(v.pipe(v.string(), v.minLength(1, 'must not be empty'), ...maxCharacters(254))),
  role: v.optional(v.string()),
  limit: Limit,
  cursor: Cursor(UserId),
});

export const documentation = {
  summary: 'List users',
  description: '`q` is a prefix of a username or an email address, case-insensitive.',
  replies: { 200: { description: 'A page of users, newest first', body: UserList } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: permission('users:read'),
  query: query(Query),
  handle: async ({ ctx, query }) => {
    const { q, role, limit, cursor } = query;
    const users = await listUsers(ctx.db, { prefix: q, role }, limit + 1, cursor);
    const page = pageOf(users, limit, (user) => user.id);
    return reply(200, { users: page.items.map(userResponse), nextCursor: page.nextCursor });
  },
});
