import { handler as exchangeCode } from '../../../functions/auth/exchange-code';
import { handler as issueCode } from '../../../functions/auth/issue-code';
import { handler as endConsoleSession } from '../../../functions/console/end-console-session';
import { handler as openConsoleSession } from '../../../functions/console/open-console-session';
import { handler as refreshConsoleSession } from '../../../functions/console/refresh-console-session';
import { handler as getMe } from '../../../functions/users/get-me';
import { type TestContext, testContext } from '../../setup/context';
import { call } from '../../setup/http';
import { registerPerson } from '../../setup/people';

const OWN = { host: 'auth.example.com', origin: 'https://auth.example.com' };

const APP = 'https://app.example.com/signed-in';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext({
    PUBLIC_URL: 'https://auth.example.com',
    REFRESH_TOKEN_SECONDS: '1000',
    RETURN_URLS: APP,
  });
});
afterAll(() => ctx.close());

/** A code, as the page for signing in gets it. */
async function newCode(returnTo = 'console', at = ctx) {
  const { user, accessToken: token, refreshToken } = await registerPerson(at);
  const headers = { host: 'x.example', origin: new URL(at.config.mail.publicUrl).origin };
  const { body } = await call(issueCode, at, {
    method: 'POST',
    headers,
    token,
    body: { refreshToken, returnTo },
  });
  return { user, token, code: String(body.code) };
}
const openWith = (code: string, headers: Record<string, string> = OWN, at = ctx) =>
  call(openConsoleSession, at, { method: 'POST', headers, body: { code } });
const open = async (headers: Record<string, string> = OWN) => openWith((await newCode()).code, headers);
const refresh = (cookies?: string[], headers: Record<string, string> = OWN) =>
  call(refreshConsoleSession, ctx, { method: 'POST', headers, ...(cookies && { cookies }) });
const cookieOf = (setCookie = '') => setCookie.split(';')[0] ?? '';

test('keeps the refresh token in a cookie that no script and no other site can use', async () => {
  const { user, code } = await newCode();
  const { status, body, headers } = await openWith(code);
  expect(status).toBe(200);
  expect(Object.keys(body).sort()).toEqual(['accessToken', 'expiresIn', 'tokenType']);
  expect(headers['set-cookie']).toMatch(
    /^rollcall_console=[\w-]{40,}; Path=\/console\/session; Max-Age=1000; HttpOnly; SameSite=Strict; Secure$/,
  );
  expect((await call(getMe, ctx, { token: body.accessToken })).body.username).toBe(user.username);
});

test('without TLS the cookie is not marked as secure, because a browser would drop it', async () => {
  const mail = { ...ctx.config.mail, publicUrl: 'http://localhost:3000' };
  const plain = { ...ctx, config: { ...ctx.config, mail } };
  const page = { host: 'localhost:3000', origin: 'http://localhost:3000' };
  const { headers } = await openWith((await newCode('console', plain)).code, page, plain);
  expect(headers['set-cookie']).toMatch(/HttpOnly; SameSite=Strict$/);
});

describe('below a path of PUBLIC_URL', () => {
  const mail = () => ({ ...ctx.config.mail, publicUrl: 'https://auth.example.com/auth/v1' });
  const below = () => ({ ...ctx, config: { ...ctx.config, mail: mail() } });
  const path = ({ headers }: { headers: Record<string, string> }) =>
    /; Path=([^;]*);/.exec(headers['set-cookie'] ?? '')?.[1];

  test('the cookie is for the endpoints of the session there', async () => {
    const at = below();
    const opened = await openWith((await newCode('console', at)).code, OWN, at);
    const cookies = [cookieOf(opened.headers['set-cookie'])];
    const refreshed = await call(refreshConsoleSession, at, { method: 'POST', headers: OWN, cookies });
    const token = refreshed.body.accessToken;
    const ended = await call(endConsoleSession, at, { method: 'DELETE', headers: OWN, token });
    expect([opened, refreshed, ended].map(path)).toEqual(Array(3).fill('/auth/v1/console/session'));
  });

  test('at another address than PUBLIC_URL, which can be that of an app, the service has no path', async () => {
    const at = below();
    const page = { host: '127.0.0.1:3000', origin: 'http://127.0.0.1:3000' };
    const opened = await openWith((await newCode('console', at)).code, page, at);
    expect(path(opened)).toBe('/console/session');
  });
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

test('a code opens one session: not twice, and not if it is none, or for an app', async () => {
  const { code, token } = await newCode();
  expect((await openWith(code)).status).toBe(200);
  for (const wrong of [code, 'nonsense', (await newCode(APP)).code]) {
    const reply = await openWith(wrong);
    expect([reply.status, reply.body.code, reply.headers['set-cookie']]).toEqual([
      400,
      'invalid_token',
      undefined,
    ]);
  }
  expect((await call(getMe, ctx, { token })).status).toBe(401);
});

test('a code for the console is none for an app', async () => {
  const { code } = await newCode();
  const body = { code, returnTo: APP };
  expect((await call(exchangeCode, ctx, { method: 'POST', body })).body.code).toBe('invalid_token');
});

test('while the console is off, nobody gets a code for it', async () => {
  const off = { ...ctx, config: { ...ctx.config, hasConsole: false } };
  expect((await newCode('console', off)).code).toBe('invalid_request');
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
