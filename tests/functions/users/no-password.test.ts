// Users without a password: who may be one, how they prove who they are, and that a way to sign in is always left.
import { handler as login } from '../../../functions/auth/login';
import { handler as logout } from '../../../functions/auth/logout';
import { handler as register } from '../../../functions/auth/register';
import { handler as stepUp } from '../../../functions/auth/step-up';
import { handler as changePassword } from '../../../functions/users/change-password';
import { handler as getMe } from '../../../functions/users/get-me';
import { handler as removePassword } from '../../../functions/users/remove-password';
import { handler as updateUser } from '../../../functions/users/update-user';
import { lockUserRow } from '../../../shared/users/user-store';
import type { TestContext } from '../../setup/context';
import { untilLockIsAwaited } from '../../setup/database';
import { later } from '../../setup/factors';
import { call } from '../../setup/http';
import { type MailContext, mailContext } from '../../setup/mail-flow';
import { logInAdmin, PASSWORD, type Person, registerPerson, registration } from '../../setup/people';

let mail: MailContext;
let ctx: TestContext;
beforeAll(async () => {
  mail = await mailContext({ EMAIL_LOGIN: 'on', REQUIRE_EMAIL: 'false' });
  ctx = mail.ctx;
});
afterAll(() => mail.close());

const NEW = 'a first password';
const me = { id: 'me' };
const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
const withoutPassword = () => {
  const { password: _, ...body } = registration();
  return body;
};
const registerWithout = async (): Promise<Person> =>
  (await call(register, ctx, { method: 'POST', body: withoutPassword() })).body;
const verified = async (person: Person) => {
  const { accessToken: token } = await logInAdmin(ctx);
  const body = { emailVerified: true };
  await call(updateUser, ctx, { method: 'PUT', params: { id: person.user.id }, body, token });
  return person;
};
const remove = (person: Person, at = ctx) =>
  call(removePassword, at, { method: 'DELETE', params: me, token: person.accessToken });
const logIn = ({ user }: Person, password = PASSWORD) =>
  call(login, ctx, { method: 'POST', body: { username: user.username, password } });
const set = (person: Person, body: object) =>
  call(changePassword, ctx, { method: 'PUT', params: me, token: person.accessToken, body });

test('somebody registers without a password: the session has proven nothing, and no password logs in', async () => {
  const { status, body } = await call(register, ctx, { method: 'POST', body: withoutPassword() });
  expect(status).toBe(201);
  expect(claimsOf(body.accessToken)).toMatchObject({ amr: [], acr: 'aal1' });
  expect((await call(getMe, ctx, { token: body.accessToken })).status).toBe(200);
  for (const password of ['', ' ', PASSWORD, 'null', 'undefined'])
    expect((await logIn(body, password)).status).toBe(password === '' ? 422 : 401);
});

test('a registration needs a password or an address, and where no codes are mailed, a password', async () => {
  const { email: _, ...neither } = withoutPassword();
  const refused = await call(register, ctx, { method: 'POST', body: neither });
  expect([refused.status, refused.body.errors[0].message]).toEqual([
    422,
    'must have a password or an email address, to sign in with',
  ]);
  for (const password of [null, ''])
    expect((await call(register, ctx, { method: 'POST', body: registration({ password }) })).status).toBe(
      422,
    );
  const without = { ...ctx, config: { ...ctx.config, hasEmailLogin: false } };
  const needed = await call(register, without, { method: 'POST', body: withoutPassword() });
  expect([needed.status, needed.body.errors[0].path]).toEqual([422, 'password']);
});

test('a repeated registration without a password opens no session', async () => {
  const body = withoutPassword();
  const input = { method: 'POST', body, headers: { 'idempotency-key': body.username } };
  expect((await call(register, ctx, input)).status).toBe(201);
  const again = await call(register, ctx, input);
  expect([again.status, again.body.code, again.body.detail]).toEqual([
    422,
    'idempotency_key_reused',
    'The user is registered. Sign in',
  ]);
  expect(again.body).not.toHaveProperty('accessToken');
});

test('sets the first password with a recent proof, and no earlier one', async () => {
  const person = await registerWithout();
  later(ctx, 600);
  const stale = await set(person, { newPassword: NEW });
  expect([stale.status, stale.body.code]).toEqual([401, 'reauthentication_required']);
  const fresh = await registerWithout();
  const answer = await set(fresh, { newPassword: NEW });
  expect([answer.status, claimsOf(answer.body.accessToken).amr]).toEqual([200, []]);
  expect((await logIn(fresh, NEW)).status).toBe(200);
  // From now on, the current password is needed.
  const next = await set({ ...fresh, ...answer.body }, { newPassword: 'another first password' });
  expect([next.status, next.body.errors[0].path]).toEqual([422, 'currentPassword']);
});

test('of two first passwords at once, one is set, and ends the session of the other', async () => {
  const person = await registerWithout();
  const answers = await Promise.all([
    set(person, { newPassword: 'the password of one' }),
    set(person, { newPassword: 'the password of another' }),
  ]);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 401]);
});

test('changes the address with a recent proof', async () => {
  const person = await registerWithout();
  const { email } = registration();
  const put = () =>
    call(updateUser, ctx, { method: 'PUT', params: me, token: person.accessToken, body: { email } });
  expect((await put()).body.pendingEmail).toBe(email);
  const other = await registerWithout();
  later(ctx, 600);
  const body = { email: registration().email };
  const stale = await call(updateUser, ctx, { method: 'PUT', params: me, token: other.accessToken, body });
  expect(stale.body.code).toBe('reauthentication_required');
});

test('removes the password: nobody logs in with it, the owner is told, and the session goes on', async () => {
  const person = await verified(await registerPerson(ctx));
  await mail.deliver();
  const before = await ctx.db
    .selectFrom('users')
    .select('version')
    .where('id', '=', person.user.id)
    .executeTakeFirstOrThrow();
  expect((await remove(person)).status).toBe(204);
  expect((await logIn(person)).body.code).toBe('invalid_credentials');
  expect((await call(getMe, ctx, { token: person.accessToken })).body.version).toBe(before.version + 1);
  const removed = (await mail.eventsOf(person.user.id)).filter(
    ({ type }) => type === 'user.password_removed',
  );
  expect(removed.map(({ data }) => data)).toEqual([{ id: person.user.id }]);
  const subjects = (await mail.deliver()).map(({ subject }) => subject);
  expect(subjects).toContain('Your password for Rollcall was removed');
  const again = await remove(person);
  expect([again.status, again.body.code]).toEqual([404, 'not_found']);
  // A password proves nothing any more.
  for (const endpoint of [stepUp, logout]) {
    const body = endpoint === stepUp ? { password: PASSWORD } : { all: true, currentPassword: PASSWORD };
    const reply = await call<TestContext>(endpoint, ctx, { method: 'POST', token: person.accessToken, body });
    expect(reply.body.code).toBe('invalid_credentials');
  }
});

test('a login that has checked the password opens no session if it is removed meanwhile', async () => {
  const person = await verified(await registerPerson(ctx));
  const { answers } = await ctx.db.transaction().execute(async (tx) => {
    await lockUserRow(tx, person.user.id);
    const removing = remove(person);
    await untilLockIsAwaited(ctx, 1);
    // The password is still there and right, so it waits for the lock too.
    const loggingIn = logIn(person);
    await untilLockIsAwaited(ctx, 2);
    return { answers: Promise.all([removing, loggingIn]) };
  });
  const [removed, refused] = await answers;
  expect([removed.status, refused.status, refused.body.code]).toEqual([204, 401, 'invalid_credentials']);
});

test.each([
  ['an unverified address', {}, true],
  ['no address', { email: undefined }, true],
  ['no mailed codes', {}, false],
])('the password stays with %s: it is the last way to sign in', async (_, fields, mailed) => {
  const person = await registerPerson(ctx, fields);
  if (!mailed) await verified(person);
  const at = { ...ctx, config: { ...ctx.config, hasEmailLogin: mailed } };
  const reply = await remove(person, at);
  expect([reply.status, reply.body.code]).toEqual([409, 'last_sign_in_method']);
  expect((await logIn(person)).status).toBe(200);
});

test('nor can the address go that the codes are mailed to', async () => {
  const person = await verified(await registerWithout());
  const drop = (by: Person, id: string) =>
    call(updateUser, ctx, { method: 'PUT', params: { id }, token: by.accessToken, body: { email: null } });
  expect((await drop(person, 'me')).body.code).toBe('last_sign_in_method');
  expect((await drop(await logInAdmin(ctx), person.user.id)).body.code).toBe('last_sign_in_method');
  const withPassword = await registerPerson(ctx);
  expect((await drop(await logInAdmin(ctx), withPassword.user.id)).status).toBe(200);
});
