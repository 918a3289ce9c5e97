// GET /users: users in the order of their creation, newest first; by the beginning of their name, or by role.
import * as v from 'valibot';
import { maxCharacters } from '../../shared/characters';
import { type Context, containerContext } from '../../shared/context/context';
import { authorize } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { Cursor, Limit, pageOf } from '../../shared/http/page';
import { type Reply, reply } from '../../shared/http/reply';
import { bearerToken, exactly, parseQuery, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { UserList } from '../../shared/openapi/schemas';
import { authenticate } from '../../shared/sessions/authenticate';
import { UserId } from '../../shared/users/fields';
import { shownUser } from '../../shared/users/shown-user';
import { listUsers } from '../../shared/users/user-list-store';

const Query = exactly({
  q: v.optional(v.pipe(v.string(), v.minLength(1, 'must not be empty'), ...maxCharacters(254))),
  role: v.optional(v.string()),
  limit: Limit,
  cursor: Cursor(UserId),
});

export const operation = {
  summary: 'List users',
  description: '`q` is the beginning of a username or an e-mail address, in any case.',
  auth: 'bearer',
  permission: 'users:read',
  query: Query,
  replies: { 200: { description: 'A page of users, the newest first', body: UserList } },
} satisfies Operation;

export async function listAllUsers(request: Request, ctx: Context): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  authorize(caller, 'users:read');
  const { q, role, limit, cursor } = parseQuery(request, Query);
  const users = await listUsers(ctx.db, { prefix: q, role }, limit + 1, cursor);
  const page = pageOf(users, limit, (user) => user.id);
  return reply(200, { users: page.items.map(shownUser), nextCursor: page.nextCursor });
}

export const handler = endpoint(containerContext, listAllUsers);
