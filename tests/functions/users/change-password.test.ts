import { handler as login } from '../../../functions/auth/login';
import { handler as refresh } from '../../../functions/auth/refresh';
import { handler as changePassword } from '../../../functions/users/change-password';
import { handler as getMe } from '../../../functions/users/get-me';
import { handler as listSessions } from '../../../functions/users/list-sessions';
import { hashPassword } from '../../../shared/passwords/hash';
import { findPassword, replaceHash } from '../../../shared/passwords/password-store';
import { type TestContext, testContext } from '../../setup/context';
import { untilLockIsAwaited } from '../../setup/database';
import { eventsOf } from '../../setup/events';
import { call } from '../../setup/http';
import { logInAdmin, PASSWORD, type Person, registerPerson } from '../../setup/people';
import { logInWith } from '../../setup/roles';

const NEW = 'quite another password';

let ctx: TestContext;
let admin: Person;
beforeAll(async () => {
  ctx = await testContext();
  admin = await logInAdmin(ctx);
});
afterAll(() => ctx.close());

const change = (by: Person, body: unknown, id = 'me') =>
  call(changePassword, ctx, { method: 'PUT', params: { id }, token: by.accessToken, body });
const logIn = (person: Person, password: string) =>
  call(login, ctx, { method: 'POST', body: { username: person.user.username, password } });

test('sets the new password, ends every session, and answers with a new one', async () => {
  const person = await registerPerson(ctx);
  const other = (await logIn(person, PASSWORD)).body;
  const answer = await change(person, { currentPassword: PASSWORD, newPassword: NEW });
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual({
    accessToken: expect.any(String),
    refreshToken: expect.stringMatching(/^[\w-]{43}$/),
    tokenType: 'Bearer',
    expiresIn: 900,
  });
  const { accessToken, refreshToken } = answer.body;
  expect((await call(getMe, ctx, { token: accessToken })).body.version).toBe(2);
  expect((await call(listSessions, ctx, { token: accessToken, params: { id: 'me' } })).body).toMatchObject({
    sessions: [{ current: true, address: '192.0.2.1', userAgent: 'tests' }],
  });
  expect((await call(refresh, ctx, { method: 'POST', body: { refreshToken } })).status).toBe(200);
  // What the caller came with may have been copied: it ends with the rest.
  for (const old of [person, other]) {
    expect((await call(getMe, ctx, { token: old.accessToken })).status).toBe(401);
    const body = { refreshToken: old.refreshToken };
    expect((await call(refresh, ctx, { method: 'POST', body })).body.code).toBe('invalid_refresh_token');
  }
  expect((await logIn(person, PASSWORD)).status).toBe(401);
  expect((await logIn(person, NEW)).status).toBe(200);
  expect(await eventsOf(ctx, person.user.id)).toEqual([
    'user.created',
    'session.created',
    'user.password_changed',
    'session.revoked',
    'session.revoked',
    'session.created',
  ]);
});

test('an administrator who changes their own goes on with what their role allows', async () => {
  const chief = await logInAdmin(ctx);
  const { body } = await change(chief, { currentPassword: PASSWORD, newPassword: NEW }, chief.user.id);
  const claims = JSON.parse(Buffer.from(body.accessToken.split('.')[1], 'base64url').toString());
  expect(claims).toMatchObject({ role: 'admin', scope: expect.stringContaining('users:write') });
});

test('a wrong current password changes nothing', async () => {
  const person = await registerPerson(ctx);
  const answer = await change(person, { currentPassword: 'wrong', newPassword: NEW });
  expect([answer.status, answer.body.code]).toEqual([401, 'invalid_credentials']);
  expect((await logIn(person, PASSWORD)).status).toBe(200);
});

test('guesses of the current password are limited', async () => {
  const limited = await testContext({ RATE_LIMITS: 'on' });
  const person = await registerPerson(limited);
  const guess = () =>
    call(changePassword, limited, {
      method: 'PUT',
      params: { id: 'me' },
      token: person.accessToken,
      body: { currentPassword: 'wrong', newPassword: NEW },
    });
  for (let i = 0; i < 10; i++) expect((await guess()).status).toBe(401);
  const answer = await guess();
  expect([answer.status, answer.body.code, answer.headers['retry-after']]).toEqual([
    429,
    'rate_limited',
    '900',
  ]);
  await limited.close();
});

test.each([
  [{ newPassword: NEW }, 'currentPassword'],
  [{ currentPassword: PASSWORD }, 'newPassword'],
  [{ currentPassword: PASSWORD, newPassword: 'short' }, 'newPassword'],
  [{ currentPassword: PASSWORD, newPassword: 'password123' }, 'newPassword'],
  [{ currentPassword: PASSWORD, newPassword: NEW, x: 1 }, 'x'],
])('refuses %j', async (body, path) => {
  const answer = await change(await registerPerson(ctx), body);
  expect([answer.status, answer.body.errors[0].path]).toEqual([422, path]);
});

test('refuses the username and the email address as the password', async () => {
  const person = await registerPerson(ctx);
  for (const newPassword of [person.user.username.toUpperCase(), person.user.email]) {
    const answer = await change(person, { currentPassword: PASSWORD, newPassword });
    expect([answer.status, answer.body.errors[0].path]).toEqual([422, 'newPassword']);
  }
});

test('goes through where a login upgrades the hash at the same moment', async () => {
  const person = await registerPerson(ctx);
  const upgraded = await hashPassword(PASSWORD, { algorithm: 'bcrypt', bcryptCost: 5 });
  const { hash } = (await findPassword(ctx.db, person.user.id)) ?? { hash: '' };
  const { answer } = await ctx.db.transaction().execute(async (tx) => {
    expect(await replaceHash(tx, person.user.id, hash, upgraded.hash)).toBe(true);
    // Has checked the old hash, and waits for the row.
    const answer = change(person, { currentPassword: PASSWORD, newPassword: NEW });
    await untilLockIsAwaited(ctx);
    return { answer };
  });
  expect((await answer).status).toBe(200);
  expect((await logIn(person, NEW)).status).toBe(200);
});

test('takes the current password in each form that a device may send it in', async () => {
  const password = 'M\u00fcde-K\u00e4fer-9';
  const person = await registerPerson(ctx, { password });
  const currentPassword = password.normalize('NFD');
  expect((await change(person, { currentPassword, newPassword: NEW })).status).toBe(200);
});

test('of two at once with the same current password, one wins', async () => {
  const person = await registerPerson(ctx);
  const answers = await Promise.all(
    ['first new password', 'second new password'].map((newPassword) =>
      change(person, { currentPassword: PASSWORD, newPassword }),
    ),
  );
  expect(answers.map((answer) => answer.status).sort()).toEqual([200, 401]);
});

test('who may write users sets the password of another without knowing it, and all their sessions end', async () => {
  const person = await registerPerson(ctx);
  const support = await logInWith(ctx, admin, ['users:write']);
  expect((await change(support, { newPassword: NEW }, person.user.id)).status).toBe(204);
  expect((await call(getMe, ctx, { token: person.accessToken })).status).toBe(401);
  expect((await logIn(person, NEW)).status).toBe(200);
});

test('but not that of one who holds more, which would be a way to become them', async () => {
  const support = await logInWith(ctx, admin, ['users:write']);
  const answer = await change(support, { newPassword: NEW }, admin.user.id);
  expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
  const person = await registerPerson(ctx);
  expect((await change(person, { newPassword: NEW }, support.user.id)).status).toBe(403);
});
