import { handler as login } from '../../../functions/auth/login';
import { handler as logout } from '../../../functions/auth/logout';
import { handler as refresh } from '../../../functions/auth/refresh';
import { handler as stepUpSession } from '../../../functions/auth/step-up';
import { handler as deleteUser } from '../../../functions/users/delete-user';
import { handler as getMe } from '../../../functions/users/get-me';
import { handler as listSessions } from '../../../functions/users/list-sessions';
import { handler as revokeSession } from '../../../functions/users/revoke-session';
import { type TestContext, testContext } from '../../setup/context';
import { call } from '../../setup/http';
import { logInAdmin, PASSWORD, type Person, registerPerson } from '../../setup/people';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext({ REAUTH_SECONDS: '60' });
});
afterAll(() => ctx.close());

const later = (seconds: number) => {
  ctx.clock.now = new Date(ctx.clock.now.getTime() + seconds * 1000);
};
const stepUp = (token: string, password: unknown = PASSWORD) =>
  call(stepUpSession, ctx, { method: 'POST', token, body: { password } });
const remove = (token: string, id = 'me') =>
  call(deleteUser, ctx, { method: 'DELETE', params: { id }, token });
const revoke = (token: string, sessionId: string, id = 'me') =>
  call(revokeSession, ctx, { method: 'DELETE', params: { id, sessionId }, token });
const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
const again = async ({ user }: Person): Promise<Person> =>
  (await call(login, ctx, { method: 'POST', body: { username: user.username, password: PASSWORD } })).body;

test('answers with an access token of the same session that says when the password was given', async () => {
  const person = await registerPerson(ctx);
  later(300);
  const answer = await stepUp(person.accessToken);
  expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'no-store']);
  expect(answer.body).toEqual({ accessToken: expect.any(String), tokenType: 'Bearer', expiresIn: 900 });
  const [before, after] = [claimsOf(person.accessToken), claimsOf(answer.body.accessToken)];
  expect(after.sid).toBe(before.sid);
  expect(after.auth_time).toBe(before.auth_time + 300);
  expect([after.amr, after.acr]).toEqual([['pwd'], 'aal1']);
  const { sessions } = (
    await call(listSessions, ctx, { token: answer.body.accessToken, params: { id: 'me' } })
  ).body;
  expect(sessions).toHaveLength(1);
});

test('a refresh hands the time of the last proof on', async () => {
  const person = await registerPerson(ctx);
  later(300);
  const { body } = await call(refresh, ctx, { method: 'POST', body: { refreshToken: person.refreshToken } });
  expect(claimsOf(body.accessToken).auth_time).toBe(claimsOf(person.accessToken).auth_time);
  await stepUp(body.accessToken);
  const next = await call(refresh, ctx, { method: 'POST', body: { refreshToken: body.refreshToken } });
  expect(claimsOf(next.body.accessToken).auth_time).toBe(claimsOf(person.accessToken).auth_time + 300);
});

test('a wrong password proves nothing, and is limited as a failed login is', async () => {
  const limited = await testContext({ RATE_LIMITS: 'on', RATE_LIMIT_LOGIN_ACCOUNT: '2/900' });
  const person = await registerPerson(limited);
  const guess = (body: unknown, handle: typeof stepUpSession = stepUpSession) =>
    call(handle, limited, { method: 'POST', token: person.accessToken, body });
  for (const body of [
    { password: 'wrong' },
    { password: '' },
    {},
    { password: 1 },
    { password: PASSWORD, x: 1 },
  ]) {
    const { status } = await guess(body);
    expect(status).toBe(body.password === 'wrong' ? 401 : 422);
  }
  // One budget for everything that asks for the password: no second place to go on guessing.
  const elsewhere = await guess({ all: true, currentPassword: 'wrong' }, logout);
  expect([elsewhere.status, elsewhere.body.code]).toEqual([401, 'invalid_credentials']);
  const over = await guess({ password: PASSWORD });
  expect([over.status, over.body.code, over.headers['retry-after']]).toEqual([429, 'rate_limited', '900']);
  await limited.close();
});

test('of a session that has ended: 401', async () => {
  const { accessToken } = await registerPerson(ctx);
  await call(logout, ctx, { method: 'POST', token: accessToken });
  expect((await stepUp(accessToken)).body.code).toBe('unauthorized');
});

describe('what takes a recent proof', () => {
  test('is refused with the challenge of RFC 9470, and done after a step-up', async () => {
    const person = await registerPerson(ctx);
    later(60);
    const refused = await remove(person.accessToken);
    expect([refused.status, refused.body.code]).toEqual([401, 'reauthentication_required']);
    expect(refused.headers['www-authenticate']).toBe(
      'Bearer error="insufficient_user_authentication", error_description="A more recent authentication is required", max_age="60"',
    );
    expect((await call(getMe, ctx, { token: person.accessToken })).status).toBe(200);
    const { body } = await stepUp(person.accessToken);
    later(59);
    expect((await remove(body.accessToken)).status).toBe(200);
  });

  test('a copy of the token from before the step-up gains nothing by it', async () => {
    const person = await registerPerson(ctx);
    later(60);
    await stepUp(person.accessToken);
    expect((await remove(person.accessToken)).body.code).toBe('reauthentication_required');
  });

  test('is asked for before another session of one’s own ends, and not for this one', async () => {
    const person = await registerPerson(ctx);
    const other = await again(person);
    later(60);
    const otherId = claimsOf(other.accessToken).sid;
    const refused = await revoke(person.accessToken, otherId);
    expect([refused.status, refused.body.code]).toEqual([401, 'reauthentication_required']);
    const { body } = await stepUp(person.accessToken);
    expect((await revoke(body.accessToken, otherId, person.user.id)).status).toBe(204);
    later(60);
    expect((await revoke(body.accessToken, claimsOf(body.accessToken).sid.toUpperCase())).status).toBe(204);
  });

  test('is not asked for from those who act for another', async () => {
    const admin = await logInAdmin(ctx);
    const person = await registerPerson(ctx);
    later(60);
    const session = claimsOf(person.accessToken).sid;
    expect((await revoke(admin.accessToken, session, person.user.id)).status).toBe(204);
    expect((await remove(admin.accessToken, person.user.id)).status).toBe(200);
  });

  test('a session from before proofs were written down has none', async () => {
    const person = await registerPerson(ctx);
    await ctx.db
      .updateTable('sessions')
      .set({ proven_at: null })
      .where('user_id', '=', person.user.id)
      .execute();
    const body = { refreshToken: person.refreshToken };
    const { accessToken } = (await call(refresh, ctx, { method: 'POST', body })).body;
    expect(claimsOf(accessToken).auth_time).toBeUndefined();
    expect((await remove(accessToken)).body.code).toBe('reauthentication_required');
  });
});
