// Passkeys as the second factor of a login, and as the proof of a step-up.
import pg from 'pg';
import { handler as login } from '../../../functions/auth/login';
import { handler as loginFactor } from '../../../functions/auth/login-factor';
import { handler as refresh } from '../../../functions/auth/refresh';
import { handler as register } from '../../../functions/auth/register';
import { handler as stepUp } from '../../../functions/auth/step-up';
import { handler as removePasskey } from '../../../functions/factors/remove-passkey';
import { handler as changePassword } from '../../../functions/users/change-password';
import { type TestContext, testContext } from '../../setup/context';
import { addAuthenticator, later, recoveryCodes } from '../../setup/factors';
import { call } from '../../setup/http';
import type { TestReply } from '../../setup/http-event';
import { readEvents } from '../../setup/mail-flow';
import { addOwnPasskey, assertionOf, logInWith, requestOptions } from '../../setup/passkeys';
import { PASSWORD, type Person, registerPerson, registration } from '../../setup/people';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext();
});
afterAll(() => ctx.close());

async function withPasskey() {
  const person = await registerPerson(ctx);
  return { person, passkey: await addOwnPasskey(ctx, person) };
}
const post = (body: unknown) => ({ method: 'POST', body });
const logIn = ({ user }: Person, password = PASSWORD) =>
  call(login, ctx, post({ username: user.username, password }));
const send = (factorToken: string, assertion: object) =>
  call(loginFactor, ctx, post({ factorToken, type: 'passkey', assertion }));
const prove = ({ accessToken: token }: { accessToken: string }, body: Record<string, unknown>) =>
  call(stepUp, ctx, { ...post(body), token });
const codesOf = (replies: TestReply[]) => replies.map(({ status, body }) => body.code ?? status).sort();
const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

test('the password alone opens no session once there is a passkey; the answer says what can be sent', async () => {
  const { person, passkey } = await withPasskey();
  const { status, body } = await logIn(person);
  expect([status, body.code, body.factors]).toEqual([401, 'second_factor_required', ['passkey']]);
  expect((await logIn(person, 'wrong')).body.code).toBe('invalid_credentials');
  const reply = await send(body.factorToken, await assertionOf(ctx, passkey));
  expect([reply.status, reply.body.user.id]).toEqual([200, person.user.id]);
  const amr = ['pwd', 'pop', 'user', 'mfa'];
  expect(claimsOf(reply.body.accessToken)).toMatchObject({ amr, acr: 'aal2' });
  const next = await call(refresh, ctx, post({ refreshToken: reply.body.refreshToken }));
  expect(claimsOf(next.body.accessToken).amr).toEqual(amr);
  await addAuthenticator(ctx, person);
  await recoveryCodes(ctx, person);
  expect((await logIn(person)).body.factors.sort()).toEqual(['passkey', 'recovery_code', 'totp']);
});

test('a recovery code is a way in without the passkey', async () => {
  const { person } = await withPasskey();
  const [code] = await recoveryCodes(ctx, person);
  const { factorToken, factors } = (await logIn(person)).body;
  expect(factors).toEqual(['recovery_code', 'passkey']);
  const reply = await call(loginFactor, ctx, post({ factorToken, type: 'recovery_code', code }));
  expect(claimsOf(reply.body.accessToken).amr).toEqual(['pwd', 'otp', 'mfa']);
});

test('a wrong assertion leaves the token valid, a right one uses it up', async () => {
  const { person, passkey } = await withPasskey();
  const { factorToken } = (await logIn(person)).body;
  const wrong = await send(factorToken, await assertionOf(ctx, passkey, { userVerified: false }));
  expect([wrong.status, wrong.body.code]).toEqual([401, 'invalid_assertion']);
  const assertion = await assertionOf(ctx, passkey);
  expect((await send('nonsense', assertion)).body.code).toBe('invalid_token');
  expect((await send(factorToken, assertion)).status).toBe(200);
  expect((await send(factorToken, await assertionOf(ctx, passkey))).body.code).toBe('invalid_token');
});

test('only a passkey of the same user will do, with or without a user handle', async () => {
  const { person, passkey } = await withPasskey();
  const other = await withPasskey();
  const { factorToken } = (await logIn(person)).body;
  for (const wrong of [{}, { userHandle: null }, { userHandle: passkey.authenticator.userHandle }]) {
    const reply = await send(factorToken, await assertionOf(ctx, other.passkey, wrong));
    expect(reply.body.code).toBe('invalid_assertion');
  }
  const { userHandle } = other.passkey.authenticator;
  expect((await send(factorToken, await assertionOf(ctx, passkey, { userHandle }))).body.code).toBe(
    'invalid_assertion',
  );
  // Whose it is, is known from the password: security keys of old send no handle.
  expect((await send(factorToken, await assertionOf(ctx, passkey, { userHandle: null }))).status).toBe(200);
});

test('of fifty at once, with one assertion and a token each, one gets in; and an assertion works once in all places', async () => {
  const { person, passkey } = await withPasskey();
  const tokens: string[] = [];
  for (let index = 0; index < 50; index++) tokens.push((await logIn(person)).body.factorToken);
  const assertion = await assertionOf(ctx, passkey);
  const replies = await Promise.all(tokens.map((token) => send(token, assertion)));
  expect(codesOf(replies)).toEqual([200, ...Array(49).fill('invalid_assertion')]);
  const { factorToken } = (await logIn(person)).body;
  const next = await assertionOf(ctx, passkey);
  const ways = [
    () => send(factorToken, next),
    () => logInWith(ctx, next),
    () => prove(person, { assertion: next }),
  ];
  const each = await Promise.all(ways.map((way) => way()));
  expect(codesOf(each)).toEqual([200, 'invalid_assertion', 'invalid_assertion']);
});

test('a change of the user between check and lock costs neither the token nor the assertion', async () => {
  const { person, passkey } = await withPasskey();
  const { factorToken } = (await logIn(person)).body;
  const assertion = await assertionOf(ctx, passkey);
  await ctx.db.updateTable('users').set({ version: 7 }).where('id', '=', person.user.id).execute();
  expect((await send(factorToken, assertion)).status).toBe(200);
});

test('the bodies of the second step', async () => {
  const { person, passkey } = await withPasskey();
  const { factorToken } = (await logIn(person)).body;
  const assertion = await assertionOf(ctx, passkey);
  for (const body of [
    { factorToken, assertion },
    { factorToken, type: 'sms', code: '123456' },
    { factorToken, type: 'passkey', code: '123456' },
    { factorToken, type: 'totp', assertion },
    { factorToken, type: 'passkey', assertion, code: '123456' },
    { type: 'passkey', assertion },
  ]) {
    const reply = await call(loginFactor, ctx, post(body));
    expect([reply.status, reply.body.code]).toEqual([422, 'invalid_request']);
  }
  expect((await call(loginFactor, ctx, post({ factorToken, code: '1' }))).body.errors).toEqual([
    { path: 'type', message: 'is required' },
  ]);
  expect((await send(factorToken, assertion)).status).toBe(200);
});

test('no other way in skips it: the replay of a registration', async () => {
  const body = registration();
  const headers = { 'idempotency-key': body.username };
  const person: Person = (await call(register, ctx, { ...post(body), headers })).body;
  await addOwnPasskey(ctx, person);
  const replay = await call(register, ctx, { ...post(body), headers });
  expect([replay.status, replay.body.code]).toEqual([401, 'second_factor_required']);
});

describe('step-up', () => {
  test('a passkey of the caller’s proves all that is needed, without a password', async () => {
    const { person, passkey } = await withPasskey();
    later(ctx, 600);
    const removal = (token: string) =>
      call(removePasskey, ctx, { method: 'DELETE', token, params: { id: 'me', passkeyId: passkey.id } });
    expect((await removal(person.accessToken)).body.code).toBe('reauthentication_required');
    const reply = await prove(person, { assertion: await assertionOf(ctx, passkey) });
    expect(reply.status).toBe(200);
    expect(claimsOf(reply.body.accessToken)).toMatchObject({
      amr: ['pop', 'user', 'mfa'],
      acr: 'aal2',
      auth_time: Math.floor(ctx.clock.now.getTime() / 1000),
      sid: claimsOf(person.accessToken).sid,
    });
    const elevated = (await readEvents(ctx)).filter(
      ({ type, subject }) => type === 'session.elevated' && subject === person.user.id,
    );
    expect(elevated.map(({ data }) => 'amr' in data && data.amr)).toEqual([['pop', 'user', 'mfa']]);
    expect((await removal(reply.body.accessToken)).status).toBe(204);
  });

  test('also in a session that the password alone has opened, before there was a passkey', async () => {
    const person = await registerPerson(ctx);
    const earlier = (await logIn(person)).body;
    const passkey = await addOwnPasskey(ctx, person);
    expect((await prove(earlier, { password: PASSWORD })).body.code).toBe('second_factor_required');
    expect((await prove(earlier, { assertion: await assertionOf(ctx, passkey) })).status).toBe(200);
  });

  test('nobody else’s, none without verification, none twice, and none of a registration', async () => {
    const { person, passkey } = await withPasskey();
    const other = await withPasskey();
    const strange = await prove(person, { assertion: await assertionOf(ctx, other.passkey) });
    expect([strange.status, strange.body.code]).toEqual([401, 'invalid_assertion']);
    const unverified = await assertionOf(ctx, passkey, { userVerified: false });
    expect((await prove(person, { assertion: unverified })).body.code).toBe('invalid_assertion');
    const assertion = await assertionOf(ctx, passkey);
    const replies = await Promise.all(Array.from({ length: 10 }, () => prove(person, { assertion })));
    expect(codesOf(replies)).toEqual([200, ...Array(9).fill('invalid_assertion')]);
    const options = await requestOptions(ctx);
    const created = passkey.authenticator.authenticate(options, { type: 'webauthn.create' });
    expect((await prove(person, { assertion: created })).body.code).toBe('invalid_assertion');
  });

  test('an assertion stands alone', async () => {
    const { person, passkey } = await withPasskey();
    const assertion = await assertionOf(ctx, passkey);
    for (const body of [
      { assertion, password: PASSWORD },
      { assertion, code: '123456' },
      {},
      { type: 'totp' },
    ])
      expect((await prove(person, body)).body.code).toBe('invalid_request');
    expect((await prove(person, { assertion })).status).toBe(200);
  });

  test('attempts are limited per user', async () => {
    const limited = await testContext({ RATE_LIMITS: 'on', RATE_LIMIT_UPDATE_ACCOUNT: '2/3600' });
    const person = await registerPerson(limited);
    const passkey = await addOwnPasskey(limited, person);
    const statuses = [];
    for (let index = 0; index < 3; index++) {
      const assertion = await assertionOf(limited, passkey);
      const reply = await call(stepUp, limited, { ...post({ assertion }), token: person.accessToken });
      statuses.push(reply.status);
    }
    expect(statuses).toEqual([200, 200, 429]);
    await limited.close();
  });
});

test('after a changed password, a token of before is void, and a passkey still logs in', async () => {
  const { person, passkey } = await withPasskey();
  const { factorToken } = (await logIn(person)).body;
  const body = { currentPassword: PASSWORD, newPassword: 'quite another password' };
  const own = { method: 'PUT', params: { id: 'me' }, token: person.accessToken, body };
  expect((await call(changePassword, ctx, own)).status).toBe(200);
  expect((await send(factorToken, await assertionOf(ctx, passkey))).body.code).toBe('invalid_token');
  expect((await logInWith(ctx, await assertionOf(ctx, passkey))).status).toBe(200);
});

test('with passkeys, a login by password sends the database no more statements than before', async () => {
  const counted = await testContext({ RATE_LIMITS: 'on' });
  const person = await registerPerson(counted);
  const sent = jest.spyOn(pg.Client.prototype, 'query');
  const count = async (request: () => Promise<unknown>) => {
    sent.mockClear();
    await request();
    return sent.mock.calls.length;
  };
  const { username } = person.user;
  const byPassword = () => call(login, counted, post({ username, password: PASSWORD }));
  expect(await count(byPassword)).toBe(10);
  const passkey = await addOwnPasskey(counted, person);
  const assertion = await assertionOf(counted, passkey);
  // Limit, passkey, challenge, user; then the transaction with sequence, session, event and counter.
  expect(await count(() => logInWith(counted, assertion))).toBe(10);
  sent.mockRestore();
  await counted.close();
});
