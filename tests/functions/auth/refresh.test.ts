import { handler as login } from '../../../functions/auth/login';
import { handler as refresh } from '../../../functions/auth/refresh';
import { handler as getMe } from '../../../functions/users/get-me';
import { handler as listSessions } from '../../../functions/users/list-sessions';
import { type TestContext, testContext } from '../../setup/context';
import { eventsOf } from '../../setup/events';
import { call } from '../../setup/http';
import { logInAdmin, PASSWORD, type Person, registerPerson } from '../../setup/people';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext();
});
afterAll(() => ctx.close());

const DAY_MS = 24 * 60 * 60 * 1000;
const use = (refreshToken: unknown, more = {}) =>
  call(refresh, ctx, { method: 'POST', path: '/refresh', body: { refreshToken }, ...more });
const me = (token: string) => call(getMe, ctx, { token });
const later = (ms: number) => {
  ctx.clock.now = new Date(ctx.clock.now.getTime() + ms);
};
const sessionsOf = async (token: string) =>
  (await call(listSessions, ctx, { token, params: { id: 'me' } })).body.sessions;

async function expectRefused(refreshToken: unknown, code = 'invalid_refresh_token') {
  const answer = await use(refreshToken);
  expect([answer.status, answer.body.code]).toEqual([401, code]);
  expect(answer.headers['content-type']).toBe('application/problem+json');
}

test('gives a new pair for a refresh token', async () => {
  const person = await registerPerson(ctx);
  later(60_000);
  const answer = await use(person.refreshToken, { headers: { 'user-agent': 'another' } });
  expect(answer.status).toBe(200);
  expect(answer.headers['cache-control']).toBe('no-store');
  expect(answer.body).toEqual({
    accessToken: expect.any(String),
    refreshToken: expect.stringMatching(/^[\w-]{43}$/),
    tokenType: 'Bearer',
    expiresIn: 900,
  });
  expect(answer.body.refreshToken).not.toBe(person.refreshToken);
  expect((await me(answer.body.accessToken)).body.id).toBe(person.user.id);
  expect(await sessionsOf(answer.body.accessToken)).toMatchObject([
    {
      createdAt: new Date(ctx.clock.now.getTime() - 60_000).toISOString(),
      lastUsedAt: ctx.clock.now.toISOString(),
      userAgent: 'another',
      current: true,
    },
  ]);
});

test('goes on from pair to pair, in one session, until the session has run out', async () => {
  let { refreshToken } = await registerPerson(ctx);
  for (let day = 0; day < 30; day += 1) {
    const answer = await use(refreshToken);
    expect(answer.status).toBe(200);
    expect(await sessionsOf(answer.body.accessToken)).toHaveLength(1);
    refreshToken = answer.body.refreshToken;
    later(DAY_MS);
  }
  await expectRefused(refreshToken);
});

test('carries what the role allows today', async () => {
  const person = await registerPerson(ctx);
  await ctx.db.updateTable('users').set({ role: 'admin' }).where('id', '=', person.user.id).execute();
  const { body } = await use(person.refreshToken);
  const claims = JSON.parse(Buffer.from(body.accessToken.split('.')[1], 'base64url').toString());
  expect(claims.role).toBe('admin');
  expect(claims.scope).toContain('users:write');
});

describe('within the grace', () => {
  test('20 at once all get a pair that works, and one session goes on', async () => {
    const person = await registerPerson(ctx);
    const answers = await Promise.all(Array.from({ length: 20 }, () => use(person.refreshToken)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    for (const { body } of answers) expect((await me(body.accessToken)).status).toBe(200);
    expect(new Set(answers.map(({ body }) => body.accessToken)).size).toBe(20);
    expect(await sessionsOf(person.accessToken)).toHaveLength(1);
    expect(await eventsOf(ctx, person.user.id)).toEqual(['user.created']);
    // One line: all of them hold the same successor, and no second one that could go on unnoticed.
    expect(new Set(answers.map(({ body }) => body.refreshToken)).size).toBe(1);
    const unused = await ctx.db
      .selectFrom('refresh_tokens')
      .innerJoin('sessions', 'sessions.id', 'session_id')
      .where('user_id', '=', person.user.id)
      .where('used_at', 'is', null)
      .select('hash')
      .execute();
    expect(unused).toHaveLength(1);
  });

  test('a late one gets the token of today, however often it has rotated since', async () => {
    const { refreshToken: first } = await registerPerson(ctx);
    later(60_000);
    const second = (await use(first)).body.refreshToken;
    later(4_000);
    const third = (await use(second)).body.refreshToken;
    later(5_999);
    expect((await use(first)).body.refreshToken).toBe(third);
    expect((await use(second)).body.refreshToken).toBe(third);
    later(1);
    expect((await use(first)).body.refreshToken).toBe(third);
    expect((await use(third)).status).toBe(200);
  });

  test('rotations without a pause stay on one line', async () => {
    const { refreshToken: first } = await registerPerson(ctx);
    const tokens = [first];
    for (let i = 0; i < 5; i += 1) {
      later(6_000);
      tokens.push((await use(tokens.at(-1))).body.refreshToken);
    }
    expect((await use(tokens.at(-2))).body.refreshToken).toBe(tokens.at(-1));
    expect((await use(tokens.at(-3))).body.refreshToken).toBe(tokens.at(-1));
    await expectRefused(tokens.at(-4), 'refresh_token_reused');
  });

  test.each([
    ['another address', { address: '198.51.100.7' }],
    ['another user agent', { headers: { 'user-agent': 'curl/8' } }],
    ['no user agent', { headers: { 'user-agent': '' } }],
  ])('a repetition from %s is reuse, is logged and ends the session', async (_name, client) => {
    const person = await registerPerson(ctx);
    const owner = await use(person.refreshToken);
    later(1_000);
    const answer = await use(person.refreshToken, client);
    expect([answer.status, answer.body.code]).toEqual([401, 'refresh_token_reused']);
    expect((await me(owner.body.accessToken)).status).toBe(401);
    await expectRefused(owner.body.refreshToken);
    expect(await eventsOf(ctx, person.user.id)).toEqual([
      'user.created',
      'session.reuse_detected',
      'session.revoked',
    ]);
    expect(ctx.logged).toContainEqual(
      expect.objectContaining({ level: 'warn', userId: person.user.id, withinGrace: true }),
    );
  });

  test('one client may change its address within its /64, and move before it refreshes', async () => {
    const person = await registerPerson(ctx);
    const at = (address: string) => ({ address });
    const next = (await use(person.refreshToken, at('2001:db8:1:2::a'))).body.refreshToken;
    later(1_000);
    expect((await use(person.refreshToken, at('2001:db8:1:2:ffff::b'))).body.refreshToken).toBe(next);
    expect((await use(next, at('198.51.100.7'))).status).toBe(200);
  });

  test('a thief who refreshes in step with the owner does not go on', async () => {
    const { refreshToken } = await registerPerson(ctx);
    const thief = { address: '198.51.100.7' };
    const owner = await use(refreshToken);
    const stolen = owner.body.refreshToken;
    later(15 * 60_000);
    const first = await use(stolen, thief);
    later(1_000);
    const second = await use(stolen);
    expect([first.status, second.status, second.body.code]).toEqual([200, 401, 'refresh_token_reused']);
    expect((await use(first.body.refreshToken, thief)).status).toBe(401);
  });

  test('a thief and the owner who share it do not both go on', async () => {
    const { refreshToken } = await registerPerson(ctx);
    const owner = await use(refreshToken);
    const thief = await use(refreshToken);
    later(15 * 60_000);
    expect((await use(thief.body.refreshToken)).status).toBe(200);
    later(15 * 60_000);
    await expectRefused(owner.body.refreshToken, 'refresh_token_reused');
  });
});

describe('after the grace', () => {
  async function reuse(person: Person) {
    const next = await use(person.refreshToken);
    later(10_001);
    await expectRefused(person.refreshToken, 'refresh_token_reused');
    return next.body;
  }

  test('a used token ends the session, for both who hold one of its tokens', async () => {
    const person = await registerPerson(ctx);
    const next = await reuse(person);
    await expectRefused(next.refreshToken);
    await expectRefused(person.refreshToken);
    expect((await me(next.accessToken)).status).toBe(401);
    expect((await me(person.accessToken)).status).toBe(401);
  });

  test('tells of the theft and of the end, once', async () => {
    const person = await registerPerson(ctx);
    await use(person.refreshToken);
    later(10_001);
    await Promise.all([use(person.refreshToken), use(person.refreshToken), use(person.refreshToken)]);
    const events = await ctx.db
      .selectFrom('events')
      .selectAll()
      .where('subject', '=', person.user.id)
      .where('type', 'like', 'session.%')
      .orderBy('position')
      .execute();
    expect(events).toMatchObject([
      {
        type: 'session.reuse_detected',
        sequence: '0000000001.0000000001',
        data: { userId: person.user.id, reason: 'refresh_token_reused' },
        address: '192.0.2.1',
        actor_id: null,
      },
      { type: 'session.revoked', sequence: expect.any(String), data: { reason: 'reuse_detected' } },
    ]);
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map(({ sequence }) => sequence).sort());
  });

  test('leaves the user’s other sessions alone', async () => {
    const admin = await logInAdmin(ctx);
    const person = await registerPerson(ctx);
    await reuse(person);
    expect((await me(admin.accessToken)).status).toBe(200);
  });

  test('is noticed for as long as the session lives, however often it has been refreshed since', async () => {
    const { refreshToken: first } = await registerPerson(ctx);
    let { refreshToken } = (await use(first)).body;
    for (let day = 1; day < 30; day += 1) {
      later(DAY_MS);
      refreshToken = (await use(refreshToken)).body.refreshToken;
    }
    await expectRefused(first, 'refresh_token_reused');
    await expectRefused(refreshToken);
  });
});

describe('is refused', () => {
  test.each([
    ['unknown', 'x'.repeat(43)],
    ['empty', ''],
    ['an access token', 'a.b.c'],
  ])('%s', async (_name, token) => expectRefused(token));

  test('one of a session that has run out', async () => {
    const { refreshToken } = await registerPerson(ctx);
    later(30 * DAY_MS);
    await expectRefused(refreshToken);
  });

  test('one of a user who is gone', async () => {
    const { refreshToken, user } = await registerPerson(ctx);
    await ctx.db.deleteFrom('users').where('id', '=', user.id).execute();
    await expectRefused(refreshToken);
  });

  test.each([[undefined], [1], [null], [['x']]])('what is no text: %p', async (token) => {
    const answer = await use(token);
    expect([answer.status, answer.body.errors?.[0]?.path]).toEqual([422, 'refreshToken']);
  });
});

test('is limited per session: one that has ended uses up no other', async () => {
  const limited = await testContext({ RATE_LIMITS: 'on', RATE_LIMIT_REFRESH_ACCOUNT: '3/60' });
  const person = await registerPerson(limited);
  const { username } = person.user;
  const other = await call(login, limited, { method: 'POST', body: { username, password: PASSWORD } });
  const statuses: number[] = [];
  for (let i = 0; i < 4; i += 1) {
    const body = { refreshToken: person.refreshToken };
    statuses.push((await call(refresh, limited, { method: 'POST', body })).status);
  }
  expect(statuses).toEqual([200, 200, 200, 429]);
  const { refreshToken } = other.body;
  expect((await call(refresh, limited, { method: 'POST', body: { refreshToken } })).status).toBe(200);
  await limited.close();
});

test('with a limit of inactivity, a session ends that long after its last use, and after its lifetime at the latest', async () => {
  const idle = await testContext({ SESSION_IDLE_SECONDS: '1800', REFRESH_TOKEN_SECONDS: '3600' });
  const wait = (seconds: number) => {
    idle.clock.now = new Date(idle.clock.now.getTime() + seconds * 1000);
  };
  const refreshed = async (refreshToken: string) =>
    call(refresh, idle, { method: 'POST', body: { refreshToken } });
  const [unused, used] = [await registerPerson(idle), await registerPerson(idle)];
  wait(1799);
  const first = await refreshed(used.refreshToken);
  expect(first.status).toBe(200);
  wait(1);
  expect((await refreshed(unused.refreshToken)).body.code).toBe('invalid_refresh_token');
  expect((await call(getMe, idle, { token: unused.accessToken })).status).toBe(401);
  wait(1798);
  const second = await refreshed(first.body.refreshToken);
  expect(second.status).toBe(200);
  wait(2);
  expect((await refreshed(second.body.refreshToken)).body.code).toBe('invalid_refresh_token');
  await idle.close();
});
