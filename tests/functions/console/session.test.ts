import { handler as endConsoleSession } from '../../../functions/console/end-console-session';
import { handler as openConsoleSession } from '../../../functions/console/open-console-session';
import { handler as refreshConsoleSession } from '../../../functions/console/refresh-console-session';
import { handler as getMe } from '../../../functions/users/get-me';
import { type TestContext, testContext } from '../../setup/context';
import { call } from '../../setup/http';
import { PASSWORD, registerPerson } from '../../setup/people';

const OWN = { host: 'auth.example.com', origin: 'https://auth.example.com' };

let ctx: TestContext;
let username: string;
beforeAll(async () => {
  ctx = await testContext({ PUBLIC_URL: 'https://auth.example.com', REFRESH_TOKEN_SECONDS: '1000' });
  ({ username } = (await registerPerson(ctx)).user);
});
afterAll(() => ctx.close());

const open = (headers: Record<string, string> = OWN, password = PASSWORD) =>
  call(openConsoleSession, ctx, { method: 'POST', headers, body: { username, password } });
const refresh = (cookies?: string[], headers: Record<string, string> = OWN) =>
  call(refreshConsoleSession, ctx, { method: 'POST', headers, ...(cookies && { cookies }) });
const cookieOf = (setCookie = '') => setCookie.split(';')[0] ?? '';

test('keeps the refresh token in a cookie that no script and no other site can use', async () => {
  const { status, body, headers } = await open();
  expect(status).toBe(200);
  expect(Object.keys(body).sort()).toEqual(['accessToken', 'expiresIn', 'tokenType']);
  expect(headers['set-cookie']).toMatch(
    /^rollcall_console=[\w-]{40,}; Path=\/console\/session; Max-Age=1000; HttpOnly; SameSite=Strict; Secure$/,
  );
  expect((await call(getMe, ctx, { token: body.accessToken })).body.username).toBe(username);
});

test('without TLS the cookie is not marked as secure, because a browser would drop it', async () => {
  const plain = {
    ...ctx,
    config: { ...ctx.config, mail: { ...ctx.config.mail, publicUrl: 'http://localhost:3000' } },
  };
  const { headers } = await call(openConsoleSession, plain, {
    method: 'POST',
    headers: { host: 'localhost:3000', origin: 'http://localhost:3000' },
    body: { username, password: PASSWORD },
  });
  expect(headers['set-cookie']).toMatch(/HttpOnly; SameSite=Strict$/);
});

test('a refresh rotates the token, like POST /refresh', async () => {
  const first = cookieOf((await open()).headers['set-cookie']);
  const refreshed = await refresh(['other=1', first]);
  expect(refreshed.status).toBe(200);
  expect(Object.keys(refreshed.body).sort()).toEqual(['accessToken', 'expiresIn', 'tokenType']);
  const second = cookieOf(refreshed.headers['set-cookie']);
  expect(second).not.toBe(first);
  expect((await refresh([second])).status).toBe(200);
  // Long after: a thief has it.
  ctx.clock.now = new Date(ctx.now().getTime() + 60_000);
  expect((await refresh([first])).body.code).toBe('refresh_token_reused');
});

test('without a cookie there is no session, and with a wrong one an error', async () => {
  expect((await refresh()).status).toBe(204);
  expect((await refresh(['rollcall_console='])).status).toBe(204);
  expect((await refresh(['rollcall_console=nonsense'])).body.code).toBe('invalid_refresh_token');
});

test.each([
  ['no origin', { host: 'auth.example.com' }],
  ['another site', { host: 'auth.example.com', origin: 'https://evil.example' }],
  ['another port', { host: 'auth.example.com', origin: 'https://auth.example.com:8443' }],
  ['a subdomain', { host: 'auth.example.com', origin: 'https://x.auth.example.com' }],
  ['a sandboxed frame', { host: 'auth.example.com', origin: 'null' }],
])('refuses a request from %s', async (_name, headers) => {
  const cookie = cookieOf((await open()).headers['set-cookie']);
  for (const reply of [await open(headers), await refresh([cookie], headers)]) {
    expect([reply.status, reply.body.code]).toEqual([403, 'forbidden']);
    expect(reply.headers['set-cookie']).toBeUndefined();
  }
  expect((await refresh([cookie])).status).toBe(200);
});

test('accepts the public address where a proxy has changed Host, and another address of the service', async () => {
  expect((await open({ host: 'internal:8080', origin: 'https://auth.example.com' })).status).toBe(200);
  expect((await open({ host: '127.0.0.1:3000', origin: 'http://127.0.0.1:3000' })).status).toBe(200);
});

test('a wrong password opens nothing', async () => {
  const reply = await open(OWN, 'wrong');
  expect([reply.status, reply.body.code, reply.headers['set-cookie']]).toEqual([
    401,
    'invalid_credentials',
    undefined,
  ]);
});

test('logging out ends the session and has the browser forget the cookie', async () => {
  const { body, headers } = await open();
  const ended = await call(endConsoleSession, ctx, { method: 'DELETE', token: body.accessToken });
  expect(ended.status).toBe(204);
  expect(ended.headers['set-cookie']).toMatch(
    /^rollcall_console=; Path=\/console\/session; Max-Age=0; HttpOnly/,
  );
  expect((await refresh([cookieOf(headers['set-cookie'])])).body.code).toBe('invalid_refresh_token');
  expect((await call(getMe, ctx, { token: body.accessToken })).status).toBe(401);
});
