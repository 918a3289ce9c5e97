import { handler as login } from '../../../functions/auth/login';
import { handler as logout } from '../../../functions/auth/logout';
import { handler as refresh } from '../../../functions/auth/refresh';
import { handler as getMe } from '../../../functions/users/get-me';
import { type TestContext, testContext } from '../../setup/context';
import { call } from '../../setup/http';
import { outcomesOf } from '../../setup/outbox';
import { PASSWORD, type Person, registerPerson } from '../../setup/people';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext();
});
afterAll(() => ctx.close());

const out = (token: string, more = {}) =>
  call(logout, ctx, { method: 'POST', path: '/logout', token, ...more });
const meStatus = async (token: string) => (await call(getMe, ctx, { token })).status;
const again = async ({ user }: Person): Promise<Person> =>
  (await call(login, ctx, { method: 'POST', body: { username: user.username, password: PASSWORD } })).body;
const revocations = (userId: string) =>
  ctx.db
    .selectFrom('events')
    .selectAll()
    .where('subject', '=', userId)
    .where('type', '=', 'session.revoked')
    .orderBy('position')
    .execute();

test('ends the session at once, and no other', async () => {
  const person = await registerPerson(ctx);
  const other = await again(person);
  const answer = await out(person.accessToken);
  expect([answer.status, answer.body]).toEqual([200, { status: 'logout successful' }]);
  expect(await meStatus(person.accessToken)).toBe(401);
  expect(await meStatus(other.accessToken)).toBe(200);
  const body = { refreshToken: person.refreshToken };
  const refreshed = await call(refresh, ctx, { method: 'POST', body });
  expect([refreshed.status, refreshed.body.code]).toEqual([401, 'invalid_refresh_token']);
  expect(await revocations(person.user.id)).toMatchObject([
    {
      actor_id: person.user.id,
      address: '192.0.2.1',
      sequence: '0000000001.0000000002',
      data: { userId: person.user.id, reason: 'logout' },
    },
  ]);
  expect((await outcomesOf(ctx, person.user.id)).at(-1)).toMatchObject({ published_at: null });
});

test('with { all: true } ends every session, and tells of each', async () => {
  const person = await registerPerson(ctx);
  const others = [await again(person), await again(person)];
  const answer = await out(person.accessToken, { body: { all: true } });
  expect(answer.status).toBe(200);
  for (const { accessToken } of [person, ...others]) expect(await meStatus(accessToken)).toBe(401);
  const events = await revocations(person.user.id);
  expect(events.map(({ data }) => data['reason'])).toEqual(Array(3).fill('logout_all'));
  const sequences = events.map(({ sequence }) => sequence);
  expect(sequences).toEqual([...new Set(sequences)].sort());
});

describe('{ all: true } long after the login', () => {
  const long = () => {
    ctx.clock.now = new Date(ctx.clock.now.getTime() + 10 * 60_000);
  };

  test('takes the password; without it nothing ends', async () => {
    const person = await registerPerson(ctx);
    long();
    const refused = await out(person.accessToken, { body: { all: true } });
    expect([refused.status, refused.body.code]).toEqual([401, 'reauthentication_required']);
    const wrong = await out(person.accessToken, { body: { all: true, currentPassword: 'wrong' } });
    expect([wrong.status, wrong.body.code]).toEqual([401, 'invalid_credentials']);
    expect(await meStatus(person.accessToken)).toBe(200);
    const right = await out(person.accessToken, { body: { all: true, currentPassword: PASSWORD } });
    expect(right.status).toBe(200);
    expect(await meStatus(person.accessToken)).toBe(401);
  });

  test('is not asked for where only this session ends', async () => {
    const person = await registerPerson(ctx);
    long();
    expect((await out(person.accessToken)).status).toBe(200);
  });
});

test.each([
  ['no body', {}],
  ['an empty body that says it is JSON', { body: '' }],
  ['an empty body of another type', { body: '', headers: { 'content-type': 'text/plain' } }],
  ['an empty object', { body: {} }],
  ['all: false', { body: { all: false } }],
])('takes %s', async (_name, request) => {
  const { accessToken } = await registerPerson(ctx);
  expect((await out(accessToken, request)).status).toBe(200);
  expect(await meStatus(accessToken)).toBe(401);
});

test.each([
  ['all: 1', { body: { all: 1 } }, 422, 'invalid_request'],
  ['an unknown field', { body: { everything: true } }, 422, 'invalid_request'],
  ['no JSON', { body: '{' }, 400, 'invalid_json'],
  ['a form', { body: 'all=1', headers: { 'content-type': 'text/plain' } }, 415, 'unsupported_media_type'],
])('refuses %s and keeps the session', async (_name, request, status, code) => {
  const { accessToken } = await registerPerson(ctx);
  const answer = await out(accessToken, request);
  expect([answer.status, answer.body.code]).toEqual([status, code]);
  expect(await meStatus(accessToken)).toBe(200);
});

test('needs a token, and one that is alive', async () => {
  const without = await call(logout, ctx, { method: 'POST' });
  expect([without.status, without.headers['www-authenticate']]).toEqual([401, 'Bearer']);
  const { accessToken } = await registerPerson(ctx);
  await out(accessToken);
  const twice = await out(accessToken);
  expect([twice.status, twice.headers['www-authenticate']]).toEqual([401, 'Bearer error="invalid_token"']);
});

test('ten at once are one end', async () => {
  const person = await registerPerson(ctx);
  await Promise.all(Array.from({ length: 10 }, () => out(person.accessToken)));
  expect(await revocations(person.user.id)).toHaveLength(1);
});
