// How a hosted page hands its session to an app: POST /login/code and POST /login/exchange.
import { createHash } from 'node:crypto';
import { handler as exchangeCode } from '../../../functions/auth/exchange-code';
import { handler as issueCode } from '../../../functions/auth/issue-code';
import { handler as login } from '../../../functions/auth/login';
import { handler as refresh } from '../../../functions/auth/refresh';
import { handler as putRole } from '../../../functions/roles/put-role';
import { handler as changeRole } from '../../../functions/users/change-role';
import { handler as deleteUser } from '../../../functions/users/delete-user';
import { handler as getMe } from '../../../functions/users/get-me';
import { handler as listSessions } from '../../../functions/users/list-sessions';
import { purgeEvents } from '../../../shared/ops/purge';
import { newOpaqueToken } from '../../../shared/tokens/opaque-token';
import { type TestContext, testContext } from '../../setup/context';
import { addAuthenticator, later } from '../../setup/factors';
import { call } from '../../setup/http';
import { readEvents } from '../../setup/mail-flow';
import { logInAdmin, PASSWORD, type Person, registerPerson } from '../../setup/people';

const APP = 'https://app.example.com/signed-in?tenant=7';
const PHONE = 'com.example.app:/signed-in';
const OWN = { host: 'auth.example.com', origin: 'https://auth.example.com' };
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext({ PUBLIC_URL: 'https://auth.example.com', RETURN_URLS: `${APP}, ${PHONE}` });
});
afterAll(() => ctx.close());

type Fields = Record<string, unknown>;
const ask = (person: Person, fields: Fields = {}, headers: Record<string, string> = OWN) =>
  call(issueCode, ctx, {
    method: 'POST',
    headers,
    token: person.accessToken,
    body: { refreshToken: person.refreshToken, returnTo: APP, ...fields },
  });
const exchange = (code: string, fields: Fields = {}, options: object = {}) =>
  call(exchangeCode, ctx, { method: 'POST', body: { code, returnTo: APP, ...fields }, ...options });
const codeOf = async (person: Person, fields: Fields = {}): Promise<string> =>
  (await ask(person, fields)).body.code;
const me = async ({ accessToken }: Person) => (await call(getMe, ctx, { token: accessToken })).status;
const renew = (refreshToken: string, options: object = {}) =>
  call(refresh, ctx, { method: 'POST', body: { refreshToken }, ...options });
const told = ({ status, body }: { status: number; body: { code?: string } }) => [status, body.code];
const INVALID = [400, 'invalid_token'];

test('a page gets a code, and the app the session: user, tokens, methods, and nothing is renewed', async () => {
  const person = await registerPerson(ctx);
  const issued = await ask(person);
  expect(issued).toMatchObject({ status: 201, body: { returnTo: APP } });
  expect(issued.body.code).toMatch(/^[\w-]{43}$/);
  const { status, body } = await exchange(issued.body.code);
  expect([status, Object.keys(body).sort()]).toEqual([
    200,
    ['accessToken', 'expiresIn', 'refreshToken', 'tokenType', 'user'],
  ]);
  expect(body.user).toEqual(person.user);
  expect(await me(body)).toBe(200);
  const claims = (token: string) =>
    JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  const { sid, amr, auth_time } = claims(person.accessToken);
  expect(claims(body.accessToken)).toMatchObject({ sid, amr, auth_time });
});

test("the page's refresh token is replaced; the app's works, at once and from another client", async () => {
  const person = await registerPerson(ctx);
  const server = { address: '203.0.113.9', headers: { 'user-agent': 'a server' } };
  const { body: app } = await exchange(await codeOf(person), {}, server);
  expect(app.refreshToken).not.toBe(person.refreshToken);
  const { body: sessions } = await call(listSessions, ctx, { params: { id: 'me' }, token: app.accessToken });
  expect(sessions.sessions).toMatchObject([{ address: '192.0.2.1', userAgent: 'tests' }]);
  const next = await renew(app.refreshToken, server);
  expect(next.status).toBe(200);
  expect((await renew(next.body.refreshToken, server)).status).toBe(200);
  // The page does not have the app's token, nor what follows from its own.
  expect((await renew(person.refreshToken, server)).body.code).toBe('invalid_refresh_token');
  expect(await me(app)).toBe(200);
  // Long after, a thief has it.
  later(ctx, 60);
  expect((await renew(person.refreshToken)).body.code).toBe('refresh_token_reused');
  expect(await me(app)).toBe(401);
});

test.each([
  ['not listed', 'https://evil.example/signed-in'],
  ['without its query', 'https://app.example.com/signed-in'],
  ['with another path below', `${APP}/x`],
  ['with another query', `${APP}&x=1`],
  ['in capitals', APP.toUpperCase()],
  ['with a user', 'https://app.example.com@evil.example/signed-in?tenant=7'],
  ['on a subdomain', 'https://x.app.example.com/signed-in?tenant=7'],
  ['a script', 'javascript:alert(1)'],
  ['relative', '/signed-in'],
  ['nothing', ''],
])('no code for a URL that is %s', async (_what, returnTo) => {
  const reply = await ask(await registerPerson(ctx), { returnTo });
  expect(told(reply)).toEqual([422, 'invalid_request']);
  expect(reply.body.errors).toMatchObject([{ path: 'returnTo' }]);
});

test('no code without the right tokens, from another site, or for a session of long ago', async () => {
  const [person, other] = [await registerPerson(ctx), await registerPerson(ctx)];
  expect(told(await ask(person, { refreshToken: other.refreshToken }))).toEqual([
    401,
    'invalid_refresh_token',
  ]);
  expect(told(await ask(person, { refreshToken: 'nonsense' }))).toEqual([401, 'invalid_refresh_token']);
  expect(told(await ask({ ...person, accessToken: 'nonsense' }))).toEqual([401, 'unauthorized']);
  for (const headers of [{ ...OWN, origin: 'https://evil.example' }, { ...OWN, origin: 'null' }, {}])
    expect(told(await ask(person, {}, headers as Record<string, string>))).toEqual([403, 'forbidden']);
  const { body: renewed } = await renew(other.refreshToken);
  expect(told(await ask({ ...other, accessToken: renewed.accessToken }))).toEqual([
    401,
    'invalid_refresh_token',
  ]);
  for (const codeChallenge of ['', 'short', `${CHALLENGE}=`, VERIFIER.slice(1), 7])
    expect(told(await ask(person, { codeChallenge }))).toEqual([422, 'invalid_request']);
  expect((await ask(person)).status).toBe(201);
  later(ctx, 600);
  expect(told(await ask(person))).toEqual([401, 'reauthentication_required']);
});

test('a code is for an app too, and only the newest of a session counts', async () => {
  const person = await registerPerson(ctx);
  const first = await codeOf(person);
  const second = await codeOf(person, { returnTo: PHONE });
  expect(told(await exchange(first))).toEqual(INVALID);
  expect((await exchange(second, { returnTo: PHONE })).status).toBe(200);
});

test('used twice: refused, and the session ends for everybody', async () => {
  const person = await registerPerson(ctx);
  const code = await codeOf(person);
  const { body: app } = await exchange(code);
  later(ctx, 50 * 60);
  const again = await exchange(code, {}, { address: '203.0.113.66' });
  expect(told(again)).toEqual(INVALID);
  expect(told(await renew(app.refreshToken))).toEqual([401, 'invalid_refresh_token']);
  const ended = (await readEvents(ctx)).filter(
    ({ type, subject }) => type === 'session.revoked' && subject === person.user.id,
  );
  expect(ended.map(({ data }) => data)).toMatchObject([{ reason: 'reuse_detected' }]);
  expect(ctx.logged.at(-1)?.message).not.toContain(code);
  expect(JSON.stringify(ctx.logged)).not.toContain(code);
  expect(told(await exchange(code))).toEqual(INVALID);
});

test.each<[string, Fields, Fields]>([
  ['another URL of the list', {}, { returnTo: PHONE }],
  ['a URL that is not listed', {}, { returnTo: 'https://evil.example' }],
  ['without the verifier', { codeChallenge: CHALLENGE }, {}],
  ['with a wrong verifier', { codeChallenge: CHALLENGE }, { codeVerifier: `${VERIFIER}x` }],
  ['with the challenge as verifier', { codeChallenge: CHALLENGE }, { codeVerifier: CHALLENGE }],
  ['with a verifier where there was no challenge', {}, { codeVerifier: VERIFIER }],
])('used wrongly, %s: refused, used up, and the session ends', async (_how, asked, sent) => {
  const person = await registerPerson(ctx);
  const code = await codeOf(person, asked);
  expect(told(await exchange(code, sent))).toEqual(INVALID);
  expect(told(await exchange(code, 'codeChallenge' in asked ? { codeVerifier: VERIFIER } : {}))).toEqual(
    INVALID,
  );
  expect(await me(person)).toBe(401);
});

test('with the verifier of its challenge, a code works', async () => {
  const code = await codeOf(await registerPerson(ctx), { codeChallenge: CHALLENGE });
  expect((await exchange(code, { codeVerifier: VERIFIER })).status).toBe(200);
});

test('a code is good for 60 seconds; after that, or unknown, it is refused and nothing else happens', async () => {
  const [early, late] = [await registerPerson(ctx), await registerPerson(ctx)];
  const [inTime, expired] = [await codeOf(early), await codeOf(late)];
  later(ctx, 59);
  expect((await exchange(inTime)).status).toBe(200);
  later(ctx, 1);
  expect(told(await exchange(expired))).toEqual(INVALID);
  expect(told(await exchange(newOpaqueToken()))).toEqual(INVALID);
  expect(told(await exchange('nonsense\u{1f600}'))).toEqual(INVALID);
  expect(await me(late)).toBe(200);
  for (const body of [{}, { code: '' }, { code: 7, returnTo: APP }, { code: 'x', returnTo: APP, state: 'x' }])
    expect((await call(exchangeCode, ctx, { method: 'POST', body })).status).toBe(422);
});

test('of fifty at once with one code, one succeeds, and its session is over', async () => {
  const code = await codeOf(await registerPerson(ctx));
  const replies = await Promise.all(Array.from({ length: 50 }, () => exchange(code)));
  const won = replies.filter(({ status }) => status === 200);
  expect(won).toHaveLength(1);
  expect(replies.filter((reply) => reply !== won[0]).map(told)).toEqual(Array(49).fill(INVALID));
  expect(await me(won[0]?.body)).toBe(401);
});

test('while a code waits, its page may not refresh: then somebody else has the token', async () => {
  const person = await registerPerson(ctx);
  const code = await codeOf(person);
  const { body: thief } = await renew(person.refreshToken);
  expect(told(await exchange(code))).toEqual(INVALID);
  expect(await me(thief)).toBe(401);
});

test('a session without the factor that its role requires gets a code once it has one', async () => {
  const admin = await logInAdmin(ctx);
  const as = { method: 'PUT', token: admin.accessToken };
  await call(putRole, ctx, {
    ...as,
    params: { name: 'guarded' },
    body: { permissions: [], requiresFactor: true },
  });
  const { user } = await registerPerson(ctx);
  await call(changeRole, ctx, { ...as, params: { id: user.id }, body: { role: 'guarded' } });
  const credentials = { username: user.username, password: PASSWORD };
  const { body: person } = await call(login, ctx, { method: 'POST', body: credentials });
  expect(told(await ask(person))).toEqual([403, 'second_factor_setup_required']);
  await addAuthenticator(ctx, person);
  const { body } = await exchange(await codeOf(person));
  expect(await me(body)).toBe(200);
});

test('a code goes with its session, its user, and an hour', async () => {
  const rows = () => ctx.db.selectFrom('sign_in_codes').selectAll().execute();
  await ctx.db.deleteFrom('sign_in_codes').execute();
  const [gone, stays] = [await registerPerson(ctx), await registerPerson(ctx)];
  const [lost, kept] = [await codeOf(gone), await codeOf(stays)];
  expect(JSON.stringify(await rows())).not.toContain(kept);
  await call(deleteUser, ctx, { method: 'DELETE', params: { id: 'me' }, token: gone.accessToken });
  expect(told(await exchange(lost))).toEqual(INVALID);
  expect(await rows()).toHaveLength(1);
  later(ctx, 3659);
  await purgeEvents(ctx, 60_000);
  expect(await rows()).toHaveLength(1);
  later(ctx, 1);
  await purgeEvents(ctx, 60_000);
  expect(await rows()).toHaveLength(0);
});

test('without RETURN_URLS, nobody gets a code for anywhere', async () => {
  const none = await testContext({ PUBLIC_URL: 'https://auth.example.com' });
  const person = await registerPerson(none);
  const body = { refreshToken: person.refreshToken, returnTo: APP };
  const request = { method: 'POST', headers: OWN, token: person.accessToken, body };
  expect(told(await call(issueCode, none, request))).toEqual([422, 'invalid_request']);
  await none.close();
});

test('exchanges are limited by address', async () => {
  const tight = await testContext({ RATE_LIMITS: 'on', RATE_LIMIT_REFRESH_ADDRESS: '2/60' });
  const send = (address: string) =>
    call(exchangeCode, tight, { method: 'POST', address, body: { code: 'x', returnTo: APP } });
  const replies = [await send('192.0.2.1'), await send('192.0.2.1'), await send('192.0.2.1')];
  expect(replies.map(told)).toEqual([INVALID, INVALID, [429, 'rate_limited']]);
  expect(told(await send('192.0.2.2'))).toEqual(INVALID);
  await tight.close();
});
