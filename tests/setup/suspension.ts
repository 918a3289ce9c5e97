import { handler as restoreUser } from '../../functions/users/restore-user';
import { handler as suspendUser } from '../../functions/users/suspend-user';
import type { TestContext } from './context';
import { call } from './http';
import type { TestReply } from './http-event';
import type { Person } from './people';

type Headers = Record<string, string>;

/** Asks for a suspension, as an administrator. */
export const suspend = (
  ctx: TestContext,
  { accessToken: token }: Pick<Person, 'accessToken'>,
  id: string,
  body?: unknown,
  headers: Headers = {},
): Promise<TestReply> =>
  call(suspendUser, ctx, {
    method: 'PUT',
    params: { id },
    token,
    headers,
    ...(body !== undefined && { body }),
  });

export const restore = (
  ctx: TestContext,
  { accessToken: token }: Pick<Person, 'accessToken'>,
  id: string,
  headers: Headers = {},
): Promise<TestReply> => call(restoreUser, ctx, { method: 'DELETE', params: { id }, token, headers });

/** How many sessions of a user are not ended. */
export async function countActiveSessions(ctx: TestContext, userId: string): Promise<number> {
  const rows = await ctx.db
    .selectFrom('sessions')
    .select('id')
    .where('user_id', '=', userId)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', ctx.clock.now)
    .execute();
  return rows.length;
}
