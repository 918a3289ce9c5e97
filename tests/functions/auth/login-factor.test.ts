import pg from 'pg';
import { handler as login } from '../../../functions/auth/login';
import { handler as loginFactor } from '../../../functions/auth/login-factor';
import { handler as refresh } from '../../../functions/auth/refresh';
import { handler as register } from '../../../functions/auth/register';
import { handler as resetPassword } from '../../../functions/auth/reset-password';
import { handler as changePassword } from '../../../functions/users/change-password';
import { handler as getMe } from '../../../functions/users/get-me';
import { insertEmailToken } from '../../../shared/email-addresses/email-token-store';
import { replaceHash } from '../../../shared/passwords/password-store';
import { hashToken, newOpaqueToken } from '../../../shared/tokens/opaque-token';
import { type TestContext, testContext } from '../../setup/context';
import { addAuthenticator, codeOf, later, recoveryCodes } from '../../setup/factors';
import { call } from '../../setup/http';
import { readEvents } from '../../setup/mail-flow';
import { PASSWORD, type Person, registerPerson, registration } from '../../setup/people';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext();
});
afterAll(() => ctx.close());

const post = (body: unknown, options: { address?: string } = {}) => ({ method: 'POST', body, ...options });
const logIn = ({ user }: Person, password = PASSWORD, at = ctx) =>
  call(login, at, post({ username: user.username, password }));
const send = (factorToken: string, code: string, type = 'totp', at = ctx, address?: string) =>
  call(loginFactor, at, post({ factorToken, type, code }, address === undefined ? {} : { address }));
const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
const codes = (replies: { status: number; body: { code?: string } }[]) =>
  replies.map(({ status, body }) => body.code ?? status).sort();

async function withFactor(at = ctx) {
  const person = await registerPerson(at);
  return { person, app: await addAuthenticator(at, person) };
}

test('the right password is answered with a token and what can be sent, a wrong one as ever', async () => {
  const { person } = await withFactor();
  const { status, body } = await logIn(person);
  expect([status, body.code, body.factors]).toEqual([401, 'second_factor_required', ['totp']]);
  expect(body.factorToken).toMatch(/^[\w-]{43}$/);
  expect(body).not.toHaveProperty('accessToken');
  const wrong = await logIn(person, 'wrong');
  const none = await call(login, ctx, post({ username: 'nobody-at-all', password: PASSWORD }));
  const { requestId: _a, ...told } = wrong.body;
  const { requestId: _b, ...untold } = none.body;
  expect([wrong.status, told]).toEqual([none.status, untold]);
  await recoveryCodes(ctx, person);
  expect((await logIn(person)).body.factors).toEqual(['totp', 'recovery_code']);
});

test('a code makes it a login, whose tokens, event and refresh say by what', async () => {
  const { person, app } = await withFactor();
  const { body } = await logIn(person);
  const reply = await send(body.factorToken, ` ${app.code().slice(0, 3)} ${app.code().slice(3)}`, 'totp');
  expect([reply.status, reply.body.user.id]).toEqual([200, person.user.id]);
  expect(claimsOf(reply.body.accessToken).amr).toEqual(['pwd', 'otp', 'mfa']);
  expect((await call(getMe, ctx, { token: reply.body.accessToken })).status).toBe(200);
  const next = await call(refresh, ctx, post({ refreshToken: reply.body.refreshToken }));
  expect(claimsOf(next.body.accessToken).amr).toEqual(['pwd', 'otp', 'mfa']);
  const created = (await readEvents(ctx)).filter(
    ({ type, subject }) => type === 'session.created' && subject === person.user.id,
  );
  expect(created.map(({ data }) => 'amr' in data && data.amr)).toEqual([['pwd', 'otp', 'mfa']]);
});

test('a wrong code leaves the token valid, a right one uses it up, and five minutes end it', async () => {
  const { person, app } = await withFactor();
  const { factorToken } = (await logIn(person)).body;
  expect((await send(factorToken, '000000')).body.code).toBe('invalid_code');
  expect((await send(factorToken, app.code())).status).toBe(200);
  later(ctx, 30);
  expect((await send(factorToken, app.code())).body.code).toBe('invalid_token');
  const { factorToken: late } = (await logIn(person)).body;
  later(ctx, 299);
  const { factorToken: inTime } = (await logIn(person)).body;
  later(ctx, 1);
  expect((await send(late, app.code())).body.code).toBe('invalid_token');
  expect((await send(inTime, app.code())).status).toBe(200);
  expect((await send('nonsense', app.code())).body.code).toBe('invalid_token');
});

test('a code works once, also with another token, and a clock may be 30 s off, not 60', async () => {
  const { person, app } = await withFactor();
  const tokens = await Promise.all([1, 2, 3, 4].map(async () => (await logIn(person)).body.factorToken));
  const [a = '', b = '', c = '', d = ''] = tokens;
  const code = app.code();
  expect((await send(a, code)).status).toBe(200);
  expect((await send(b, code)).body.code).toBe('invalid_code');
  const at = (seconds: number) => codeOf(app.secret, new Date(ctx.clock.now.getTime() + seconds * 1000));
  expect((await send(c, at(60))).body.code).toBe('invalid_code');
  expect((await send(c, at(30))).status).toBe(200);
  // The one before is right as such, and older than the last one that was used.
  expect((await send(d, code)).body.code).toBe('invalid_code');
  later(ctx, 90);
  expect((await send(d, at(-60))).body.code).toBe('invalid_code');
  expect((await send(d, at(-30))).status).toBe(200);
});

test('of fifty at once with one code, one gets in: with a token each, and with one token', async () => {
  const { person, app } = await withFactor();
  const tokens = await Promise.all(Array.from({ length: 50 }, () => logIn(person)));
  const each = await Promise.all(tokens.map(({ body }) => send(body.factorToken, app.code())));
  expect(codes(each)).toEqual([200, ...Array(49).fill('invalid_code')]);
  later(ctx, 30);
  const { factorToken } = (await logIn(person)).body;
  const one = await Promise.all(Array.from({ length: 50 }, () => send(factorToken, app.code())));
  expect(one.filter(({ status }) => status === 200)).toHaveLength(1);
  const refusals = new Set(one.filter(({ status }) => status !== 200).map(({ body }) => body.code));
  expect([...refusals].filter((code) => !['invalid_code', 'invalid_token'].includes(code))).toEqual([]);
});

test('a recovery code works once, however it is typed, also fifty times at once, and is an event', async () => {
  const { person } = await withFactor();
  const [first = '', second = '', ...rest] = await recoveryCodes(ctx, person);
  expect([rest.length, first]).toEqual([
    8,
    expect.stringMatching(/^([0-9a-hjkmnp-tv-z]{4}-){5}[0-9a-hjkmnp-tv-z]{4}$/),
  ]);
  const token = async () => (await logIn(person)).body.factorToken;
  const typed = first.toUpperCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l');
  const reply = await send(await token(), typed, 'recovery_code');
  expect([reply.status, claimsOf(reply.body.accessToken).amr]).toEqual([200, ['pwd', 'otp', 'mfa']]);
  expect((await send(await token(), first, 'recovery_code')).body.code).toBe('invalid_code');
  const tokens = await Promise.all(Array.from({ length: 50 }, token));
  const each = await Promise.all(tokens.map((one) => send(one, second, 'recovery_code')));
  expect(codes(each)).toEqual([200, ...Array(49).fill('invalid_code')]);
  const used = (await readEvents(ctx)).filter(({ type }) => type === 'user.recovery_code_used');
  expect(used.map(({ data }) => data)).toEqual([
    { id: person.user.id, remaining: 9 },
    { id: person.user.id, remaining: 8 },
  ]);
  expect((await send(await token(), second, 'totp')).body.code).toBe('invalid_code');
});

test('new recovery codes replace the old ones', async () => {
  const { person } = await withFactor();
  const [old = ''] = await recoveryCodes(ctx, person);
  const [fresh = ''] = await recoveryCodes(ctx, person);
  const { factorToken } = (await logIn(person)).body;
  expect((await send(factorToken, old, 'recovery_code')).body.code).toBe('invalid_code');
  expect((await send(factorToken, fresh, 'recovery_code')).status).toBe(200);
});

test('another password voids the token; an upgraded hash of the same one does not', async () => {
  const { person, app } = await withFactor();
  const { factorToken } = (await logIn(person)).body;
  const { hash } = await ctx.db
    .selectFrom('passwords')
    .select('hash')
    .where('user_id', '=', person.user.id)
    .executeTakeFirstOrThrow();
  const replace = (before: string, after: string) =>
    ctx.db.transaction().execute((tx) => replaceHash(tx, person.user.id, before, after));
  await replace(hash, `${hash.slice(0, -1)}.`);
  await replace(`${hash.slice(0, -1)}.`, hash);
  const wrong = await send(factorToken, '000000');
  expect(wrong.body.code).toBe('invalid_code');
  const body = { currentPassword: PASSWORD, newPassword: 'quite another password' };
  await call(changePassword, ctx, { method: 'PUT', params: { id: 'me' }, token: person.accessToken, body });
  expect((await send(factorToken, app.code())).body.code).toBe('invalid_token');
});

test('nor do two logins at once that upgrade the hash: both tokens are good', async () => {
  const { person, app } = await withFactor();
  const passwords = { ...ctx.config.passwords, bcryptCost: 6 };
  const upgrading = { ...ctx, config: { ...ctx.config, passwords } };
  const [one, other] = await Promise.all([1, 2].map(() => logIn(person, PASSWORD, upgrading)));
  for (const reply of [one, other]) {
    expect(codes([await send(reply?.body.factorToken, app.code())])).toEqual([200]);
    later(ctx, 30);
  }
});

test('a change of the user between check and lock, such as of their name, does not', async () => {
  const { person, app } = await withFactor();
  const { factorToken } = (await logIn(person)).body;
  await ctx.db.updateTable('users').set({ version: 7 }).where('id', '=', person.user.id).execute();
  expect((await send(factorToken, app.code())).status).toBe(200);
});

test('no other way in skips the factor: a reset, the replay of a registration', async () => {
  const body = registration();
  const headers = { 'idempotency-key': body.username };
  const person: Person = (await call(register, ctx, { method: 'POST', body, headers })).body;
  await addAuthenticator(ctx, person);
  const replay = await call(register, ctx, { method: 'POST', body, headers });
  expect([replay.status, replay.body.code]).toEqual([401, 'second_factor_required']);
  const token = newOpaqueToken();
  await ctx.db.transaction().execute((tx) =>
    insertEmailToken(tx, {
      hash: hashToken(token),
      userId: person.user.id,
      purpose: 'reset_password',
      address: body.email,
      now: ctx.clock.now,
      expiresAt: new Date(ctx.clock.now.getTime() + 60_000),
    }),
  );
  const reset = await call(resetPassword, ctx, post({ token, password: 'quite another password' }));
  expect(reset.status).toBe(200);
  expect(reset.body).not.toHaveProperty('accessToken');
  expect((await logIn(person, 'quite another password')).body.code).toBe('second_factor_required');
});

test('without a factor, a login sends the database as many statements as before there were any', async () => {
  const counted = await testContext({ RATE_LIMITS: 'on' });
  const person = await registerPerson(counted);
  const sent = jest.spyOn(pg.Client.prototype, 'query');
  const count = async (password: string) => {
    sent.mockClear();
    await logIn(person, password, counted);
    return sent.mock.calls.length;
  };
  expect([await count(PASSWORD), await count('wrong')]).toEqual([10, 5]);
  sent.mockRestore();
  await counted.close();
});

describe('wrong codes are limited', () => {
  const LIMITS = {
    RATE_LIMITS: 'on',
    RATE_LIMIT_LOGIN_ACCOUNT: '3/900',
    RATE_LIMIT_LOGIN_ADDRESS: '1000/900',
  };
  let limited: TestContext;
  beforeAll(async () => {
    limited = await testContext(LIMITS);
  });
  afterAll(() => limited.close());
  const token = async (person: Person) => (await logIn(person, PASSWORD, limited)).body.factorToken;

  test('also fifty at once with a token each: no more are compared than the limit says', async () => {
    const { person } = await withFactor(limited);
    // One after the other: at once, the right passwords would be limited themselves.
    const tokens: string[] = [];
    for (let index = 0; index < 50; index++) tokens.push(await token(person));
    const guesses = await Promise.all(
      tokens.map((one, index) => send(one, String(index).padStart(6, '0'), 'totp', limited, '198.51.100.9')),
    );
    expect(codes(guesses)).toEqual([...Array(3).fill('invalid_code'), ...Array(47).fill('rate_limited')]);
    const failed = await limited.db
      .selectFrom('audit_log')
      .select('details')
      .where('type', '=', 'session.failed')
      .where('subject', '=', person.user.id)
      .execute();
    expect(failed.map(({ details }) => [details?.['method'], details?.['reason']])).toEqual(
      Array(3).fill(['factor', 'wrong_code']),
    );
  });

  test('a million codes are out of reach: nobody tries more than the limit, of either kind', async () => {
    const { person, app } = await withFactor(limited);
    const factorToken = await token(person);
    const outcomes = [];
    for (let index = 0; index < 20; index++) {
      const type = index % 2 ? 'totp' : 'recovery_code';
      const reply = await send(factorToken, `${index}00000`, type, limited, `198.51.100.${index}`);
      outcomes.push(reply.body.code);
    }
    expect(outcomes).toEqual([...Array(3).fill('invalid_code'), ...Array(17).fill('rate_limited')]);
    // From a strange place even the right one has to wait until the window ends.
    const strange = await send(factorToken, app.code(), 'totp', limited, '198.51.100.77');
    expect([strange.status, strange.headers['retry-after']]).toEqual([429, expect.stringMatching(/^\d+$/)]);
    // The owner is let in where they have had a session.
    expect((await send(factorToken, app.code(), 'totp', limited)).status).toBe(200);
    later(limited, 900);
    const next = await token(person);
    expect((await send(next, app.code(), 'totp', limited, '198.51.100.77')).status).toBe(200);
  });

  test('right ones are not counted', async () => {
    const { person, app } = await withFactor(limited);
    for (let index = 0; index < 6; index++) {
      expect((await send(await token(person), app.code(), 'totp', limited, '198.51.100.5')).status).toBe(200);
      later(limited, 30);
    }
  });
});
