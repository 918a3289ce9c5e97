import { handler as forgotPassword } from '../../../functions/auth/forgot-password';
import { handler as login } from '../../../functions/auth/login';
import { handler as resetPassword } from '../../../functions/auth/reset-password';
import { handler as changePassword } from '../../../functions/users/change-password';
import { handler as getMe } from '../../../functions/users/get-me';
import { lockUserRow } from '../../../shared/users/user-store';
import { untilLockIsAwaited } from '../../setup/database';
import { call } from '../../setup/http';
import { type MailContext, mailContext } from '../../setup/mail-flow';
import { tokenIn } from '../../setup/mail-server';
import { outcomesOf } from '../../setup/outbox';
import { PASSWORD, type Person, registerPerson } from '../../setup/people';

const NEW_PASSWORD = 'a finer password';

let flow: MailContext;

beforeAll(async () => {
  flow = await mailContext();
});
afterAll(() => flow.close());

const reset = (body: unknown) =>
  call(resetPassword, flow.ctx, { method: 'POST', path: '/reset-password', body });
const logIn = (person: Person, password: string) =>
  call(login, flow.ctx, { method: 'POST', body: { username: person.user.username, password } });

async function requestToken(person: Person): Promise<string> {
  await call(forgotPassword, flow.ctx, { method: 'POST', body: { email: person.user.email } });
  return tokenIn((await flow.deliver()).find((mail) => mail.text?.includes('/reset-password?')));
}

async function personWithToken(fields = {}): Promise<{ person: Person; token: string }> {
  const person = await registerPerson(flow.ctx, fields);
  return { person, token: await requestToken(person) };
}

test('sets the password, ends every session, and proves the address', async () => {
  const { person, token } = await personWithToken();
  const second = await logIn(person, PASSWORD);
  const { status, headers, body } = await reset({ token, password: NEW_PASSWORD });
  expect(status).toBe(200);
  expect(headers).toMatchObject({ etag: '"2"', 'cache-control': 'no-store' });
  expect(body).toEqual({
    user: expect.objectContaining({ id: person.user.id, emailVerified: true, version: 2 }),
  });

  for (const accessToken of [person.accessToken, second.body.accessToken]) {
    expect((await call(getMe, flow.ctx, { token: accessToken })).status).toBe(401);
  }
  expect((await logIn(person, PASSWORD)).body.code).toBe('invalid_credentials');
  expect((await logIn(person, NEW_PASSWORD)).status).toBe(200);
});

test('works after a login that has upgraded the hash: the password is still the same', async () => {
  const { person, token } = await personWithToken();
  const passwords = { ...flow.ctx.config.passwords, bcryptCost: 5 };
  const higher = { ...flow.ctx, config: { ...flow.ctx.config, passwords } };
  const body = { username: person.user.username, password: PASSWORD };
  expect((await call(login, higher, { method: 'POST', body })).status).toBe(200);
  expect((await reset({ token, password: NEW_PASSWORD })).status).toBe(200);
});

test('ends the slowdown after failed logins, by each name and wherever they were made', async () => {
  const limited = await mailContext({ RATE_LIMITS: 'on', RATE_LIMIT_LOGIN_ACCOUNT: '3/900' });
  const { user } = await registerPerson(limited.ctx);
  const logInAs = (name: object, password: string) =>
    call(login, limited.ctx, { method: 'POST', body: { ...name, password }, address: '203.0.113.9' });
  const names = [{ username: user.username }, { email: user.email }];
  for (const name of names) {
    for (let i = 0; i < 3; i += 1) await logInAs(name, 'wrong password');
    expect((await logInAs(name, PASSWORD)).status).toBe(429);
  }
  await call(forgotPassword, limited.ctx, { method: 'POST', body: { email: user.email } });
  const token = tokenIn((await limited.deliver()).find((mail) => mail.text?.includes('/reset-password?')));
  const done = { method: 'POST', body: { token, password: NEW_PASSWORD } };
  expect((await call(resetPassword, limited.ctx, done)).status).toBe(200);
  for (const name of names) expect((await logInAs(name, NEW_PASSWORD)).status).toBe(200);
  await limited.close();
});

test('writes its events in order, the changes published at once, the rest left to the relay', async () => {
  const { person, token } = await personWithToken();
  await logIn(person, PASSWORD);
  await flow.ctx.db.deleteFrom('dispatch').execute();
  await reset({ token, password: NEW_PASSWORD });
  const rows = await flow.ctx.db
    .selectFrom('events')
    .selectAll()
    .where('subject', '=', person.user.id)
    .where('sequence', '>=', '0000000002')
    .orderBy('position')
    .execute();
  const revoked = { userId: person.user.id, sessionId: expect.any(String), reason: 'password_changed' };
  const outcomes = (await outcomesOf(flow.ctx, person.user.id)).slice(-rows.length);
  expect(
    rows.map((row, i) => [row.type, row.sequence, row.data, outcomes[i]?.published_at !== null]),
  ).toEqual([
    ['user.password_changed', '0000000002', { id: person.user.id }, true],
    ['user.email_verified', '0000000002.0000000001', { id: person.user.id }, true],
    ['session.revoked', '0000000002.0000000002', revoked, false],
    ['session.revoked', '0000000002.0000000003', revoked, false],
  ]);
  for (const row of rows) {
    expect(row).toMatchObject({ actor_id: person.user.id, address: '192.0.2.1', user_agent: 'tests' });
  }
  expect(JSON.stringify([rows, flow.ctx.logged])).not.toContain(token);
  expect(JSON.stringify(flow.ctx.logged)).not.toContain(NEW_PASSWORD);
});

test('does not verify again what is verified', async () => {
  const { person, token } = await personWithToken();
  await flow.ctx.db
    .updateTable('users')
    .set({ email_verified: true })
    .where('id', '=', person.user.id)
    .execute();
  await reset({ token, password: NEW_PASSWORD });
  const types = (await flow.eventsOf(person.user.id)).map((event) => event.type);
  expect(types).not.toContain('user.email_verified');
});

test('a token works once, and takes the other links with it', async () => {
  const { person, token } = await personWithToken();
  const other = await requestToken(person);
  expect((await reset({ token, password: NEW_PASSWORD })).status).toBe(200);
  for (const used of [token, other]) {
    const answer = await reset({ token: used, password: NEW_PASSWORD });
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_token']);
  }
});

test('of many at the same moment exactly one wins', async () => {
  const { person, token } = await personWithToken();
  const passwords = Array.from({ length: 8 }, (_, index) => `password number ${index}`);
  const answers = await Promise.all(passwords.map((password) => reset({ token, password })));
  expect(answers.map((answer) => answer.status).sort()).toEqual([200, ...Array(7).fill(400)]);
  const winner = answers.findIndex((answer) => answer.status === 200);
  const statuses = [];
  for (const password of passwords) statuses.push((await logIn(person, password)).status);
  expect(statuses).toEqual(passwords.map((_, index) => (index === winner ? 200 : 401)));
});

test('a link that waits for a change of the password under way comes too late', async () => {
  const { person, token } = await personWithToken();
  const { answers } = await flow.ctx.db.transaction().execute(async (tx) => {
    await lockUserRow(tx, person.user.id);
    const body = { currentPassword: PASSWORD, newPassword: NEW_PASSWORD };
    const params = { id: 'me' };
    const change = call(changePassword, flow.ctx, {
      method: 'PUT',
      params,
      token: person.accessToken,
      body,
    });
    await untilLockIsAwaited(flow.ctx, 1);
    const late = reset({ token, password: 'the words of a thief' });
    await untilLockIsAwaited(flow.ctx, 2);
    return { answers: Promise.all([change, late]) };
  });
  const [change, late] = await answers;
  expect([change.status, late.body.code]).toEqual([200, 'invalid_token']);
  expect((await logIn(person, NEW_PASSWORD)).status).toBe(200);
});

test('a token expires after an hour', async () => {
  const { token } = await personWithToken();
  flow.ctx.clock.now = new Date(flow.ctx.clock.now.getTime() + 3600 * 1000);
  const answer = await reset({ token, password: NEW_PASSWORD });
  expect([answer.status, answer.body.code]).toEqual([400, 'invalid_token']);
});

test('a token dies with the address, and with the password, that it was made for', async () => {
  const moved = await personWithToken();
  await flow.ctx.db
    .updateTable('users')
    .set({ email: `new-${moved.person.user.email}` })
    .where('id', '=', moved.person.user.id)
    .execute();
  const changed = await personWithToken();
  await flow.ctx.db
    .updateTable('passwords')
    .set({ hash: '$2b$04$another' })
    .where('user_id', '=', changed.person.user.id)
    .execute();
  for (const { token } of [moved, changed]) {
    const answer = await reset({ token, password: NEW_PASSWORD });
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_token']);
  }
});

test('a user without a password is refused like one with another, until a reset link gives them one', async () => {
  const person = await registerPerson(flow.ctx);
  await flow.ctx.db.deleteFrom('passwords').where('user_id', '=', person.user.id).execute();
  const refused = await logIn(person, PASSWORD);
  expect([refused.status, refused.body.code]).toEqual([401, 'invalid_credentials']);

  const [first, second] = [await requestToken(person), await requestToken(person)];
  expect((await reset({ token: first, password: NEW_PASSWORD })).status).toBe(200);
  expect((await logIn(person, NEW_PASSWORD)).status).toBe(200);
  expect((await reset({ token: second, password: 'a third password' })).status).toBe(400);
});

test('a token of a deleted user is wrong, and a verification token resets nothing', async () => {
  const gone = await personWithToken();
  await flow.ctx.db.deleteFrom('users').where('id', '=', gone.person.user.id).execute();
  await registerPerson(flow.ctx);
  const [verification] = await flow.deliver();
  for (const token of [gone.token, tokenIn(verification), '', 'nonsense']) {
    const answer = await reset({ token, password: NEW_PASSWORD });
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_token']);
  }
});

describe('a password that is not allowed', () => {
  test.each(['short', 'ä'.repeat(37)])('is named, and the token stays good (%#)', async (password) => {
    const { token } = await personWithToken();
    const answer = await reset({ token, password });
    expect([answer.status, answer.body.code]).toEqual([422, 'invalid_request']);
    expect(answer.body.errors).toEqual([{ path: 'password', message: expect.any(String) }]);
    expect((await reset({ token, password: NEW_PASSWORD })).status).toBe(200);
  });

  test('is also the username or the email address', async () => {
    const { person, token } = await personWithToken();
    for (const password of [person.user.username.toUpperCase(), person.user.email]) {
      const answer = await reset({ token, password });
      expect([answer.status, answer.body.code]).toEqual([422, 'invalid_request']);
      expect(answer.body.errors).toEqual([
        { path: 'password', message: expect.stringContaining('username') },
      ]);
    }
    expect((await reset({ token, password: NEW_PASSWORD })).status).toBe(200);
  });
});

test.each([
  {},
  { token: 'x' },
  { token: 1, password: NEW_PASSWORD },
  { token: 'x', password: NEW_PASSWORD, role: 'admin' },
])('refuses a body that is not valid (%#)', async (body) => {
  const answer = await reset(body);
  expect([answer.status, answer.body.code]).toEqual([422, 'invalid_request']);
});
