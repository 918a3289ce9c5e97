import { randomUUID } from 'node:crypto';
import { handler as login } from '../../../functions/auth/login';
import { handler as getMe } from '../../../functions/users/get-me';
import { handler as listSessions } from '../../../functions/users/list-sessions';
import { handler as revokeSession } from '../../../functions/users/revoke-session';
import { handler as revokeSessions } from '../../../functions/users/revoke-sessions';
import { type TestContext, testContext } from '../../setup/context';
import { call } from '../../setup/http';
import { logInAdmin, PASSWORD, type Person, registerPerson } from '../../setup/people';

let ctx: TestContext;
let admin: Person;
beforeAll(async () => {
  ctx = await testContext();
  admin = await logInAdmin(ctx);
});
afterAll(() => ctx.close());

const list = (token: string, id = 'me') => call(listSessions, ctx, { token, params: { id } });
const revoke = (token: string, id: string, sessionId: string) =>
  call(revokeSession, ctx, { method: 'DELETE', token, params: { id, sessionId } });
const again = async ({ user }: Person): Promise<Person> =>
  (await call(login, ctx, { method: 'POST', body: { username: user.username, password: PASSWORD } })).body;
const meStatus = async (token: string) => (await call(getMe, ctx, { token })).status;

/** Somebody with these permissions. */
async function personWith(...permissions: string[]): Promise<Person> {
  const role = `role_${randomUUID()}`;
  await ctx.db.insertInto('roles').values({ name: role, permissions }).execute();
  const person = await registerPerson(ctx);
  await ctx.db.updateTable('users').set({ role }).where('id', '=', person.user.id).execute();
  return person;
}

describe('the list', () => {
  test('has the living sessions, the one used last first, and marks the caller’s', async () => {
    const person = await registerPerson(ctx);
    const openedAt = ctx.clock.now.toISOString();
    ctx.clock.now = new Date(ctx.clock.now.getTime() + 1000);
    const other = await again(person);
    const answer = await list(other.accessToken);
    expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'no-store']);
    const first = answer.body.sessions[0];
    expect(answer.body).toEqual({
      sessions: [
        {
          id: expect.any(String),
          createdAt: ctx.clock.now.toISOString(),
          lastUsedAt: ctx.clock.now.toISOString(),
          expiresAt: new Date(ctx.clock.now.getTime() + 30 * 24 * 60 * 60 * 1000).toISOString(),
          address: '192.0.2.1',
          userAgent: 'tests',
          current: true,
        },
        {
          ...first,
          id: expect.any(String),
          createdAt: openedAt,
          lastUsedAt: openedAt,
          expiresAt: expect.any(String),
          current: false,
        },
      ],
    });
    await revoke(other.accessToken, 'me', answer.body.sessions[1].id);
    expect((await list(other.accessToken)).body.sessions).toEqual([first]);
  });

  test('is for oneself by id too, and for those who may write users', async () => {
    const person = await registerPerson(ctx);
    const helper = await personWith('users:write');
    for (const { accessToken } of [person, helper, admin]) {
      const answer = await list(accessToken, person.user.id);
      expect([answer.status, answer.body.sessions.length]).toEqual([200, 1]);
    }
  });
});

describe('ending one', () => {
  test('works at once', async () => {
    const person = await registerPerson(ctx);
    const other = await again(person);
    const { sessions } = (await list(other.accessToken)).body;
    const target = sessions.find((session: { current: boolean }) => !session.current);
    const answer = await revoke(other.accessToken, person.user.id, target.id);
    expect([answer.status, answer.body]).toEqual([204, undefined]);
    expect(await meStatus(person.accessToken)).toBe(401);
    expect(await meStatus(other.accessToken)).toBe(200);
    const event = await ctx.db
      .selectFrom('events')
      .selectAll()
      .where('subject', '=', person.user.id)
      .where('type', '=', 'session.revoked')
      .executeTakeFirstOrThrow();
    expect(event).toMatchObject({
      actor_id: person.user.id,
      data: { userId: person.user.id, sessionId: target.id, reason: 'revoked' },
    });
    expect((await revoke(other.accessToken, 'me', target.id)).status).toBe(404);
  });

  test('knows no session that is another’s, unknown or no id', async () => {
    const person = await registerPerson(ctx);
    const stranger = await registerPerson(ctx);
    const [theirs] = (await list(stranger.accessToken)).body.sessions;
    for (const sessionId of [theirs.id, randomUUID(), 'nonsense', "' or 1=1"]) {
      const answer = await revoke(person.accessToken, 'me', sessionId);
      expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
    }
    expect(await meStatus(stranger.accessToken)).toBe(200);
  });
});

describe.each([
  ['the list', list],
  ['ending one', (token: string, id = 'me') => revoke(token, id, randomUUID())],
])('%s, without the right to', (_name, attempt) => {
  test('of another: 403, whether or not they exist', async () => {
    const { accessToken } = await personWith('users:read');
    for (const id of [admin.user.id, randomUUID(), 'nonsense']) {
      const answer = await attempt(accessToken, id);
      expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
    }
  });

  test('of somebody who may do more than the caller: 403', async () => {
    const helper = await personWith('users:write');
    const auditor = await personWith('audit:read', 'users:write');
    expect((await attempt(helper.accessToken, admin.user.id)).status).toBe(403);
    expect((await attempt(helper.accessToken, auditor.user.id)).status).toBe(403);
    expect((await attempt(auditor.accessToken, helper.user.id)).status).not.toBe(403);
    expect((await attempt(admin.accessToken, auditor.user.id)).status).not.toBe(403);
  });

  test('of nobody: 404 for those who might', async () => {
    const helper = await personWith('users:write');
    for (const id of [randomUUID(), 'nonsense'])
      expect((await attempt(helper.accessToken, id)).status).toBe(404);
  });

  test('without a token: 401', async () => {
    expect((await attempt('', 'me')).status).toBe(401);
  });
});

describe('all sessions of a user', () => {
  const revokeAll = (token: string, id = 'me') =>
    call(revokeSessions, ctx, { method: 'DELETE', token, params: { id } });

  test('end for an administrator who asks, each with its event', async () => {
    const person = await registerPerson(ctx);
    const other = await again(person);
    const answer = await revokeAll(admin.accessToken, person.user.id);
    expect([answer.status, answer.body]).toEqual([200, { revoked: 2 }]);
    expect([await meStatus(person.accessToken), await meStatus(other.accessToken)]).toEqual([401, 401]);
    const events = await ctx.db
      .selectFrom('events')
      .select(['data', 'actor_id'])
      .where('subject', '=', person.user.id)
      .where('type', '=', 'session.revoked')
      .execute();
    expect(events).toHaveLength(2);
    expect(events[0]).toMatchObject({ data: { reason: 'revoked' }, actor_id: admin.user.id });
    expect((await revokeAll(admin.accessToken, person.user.id)).body).toEqual({ revoked: 0 });
  });

  test('end for their user after a recent authentication', async () => {
    const person = await registerPerson(ctx);
    const at = ctx.clock.now;
    ctx.clock.now = new Date(at.getTime() + 600_000);
    expect((await revokeAll(person.accessToken)).body.code).toBe('reauthentication_required');
    ctx.clock.now = at;
    expect((await revokeAll(person.accessToken)).body).toEqual({ revoked: 1 });
    expect(await meStatus(person.accessToken)).toBe(401);
  });

  test('end for nobody else', async () => {
    const person = await registerPerson(ctx);
    const helper = await personWith('users:write');
    expect((await revokeAll(person.accessToken, admin.user.id)).body.code).toBe('forbidden');
    expect((await revokeAll(helper.accessToken, admin.user.id)).body.code).toBe('forbidden');
    expect((await revokeAll(admin.accessToken, randomUUID())).body.code).toBe('not_found');
  });
});
