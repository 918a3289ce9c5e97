// Every endpoint with every status that the OpenAPI document gives it, over HTTP. Every answer is checked against the
// document too (headers, code, body), and the table in docs/status-codes.md is what was seen here.
import { readFileSync } from 'node:fs';
import { uuidv7 } from 'uuidv7';
import { freePort } from '../../local/ports';
import { statusTable } from '../../scripts/openapi/status-table';
import { queueOf } from '../../shared/broker/topology';
import type { Config } from '../../shared/config';
import { type EmailTokenPurpose, insertEmailToken } from '../../shared/email-addresses/email-token-store';
import { statusOf } from '../../shared/errors';
import { codeOf as codeOfRequest, hashAddress } from '../../shared/mailed-codes/mailed-code';
import { insertCodeRequest, markMailed } from '../../shared/mailed-codes/mailed-code-store';
import document from '../../shared/openapi/openapi.json';
import { PERMISSIONS } from '../../shared/roles/permissions';
import { hashToken, newOpaqueToken } from '../../shared/tokens/opaque-token';
import { SoftwareAuthenticator } from '../setup/authenticator';
import { codeOf } from '../setup/factors';
import type { TestReply } from '../setup/http-event';
import { documented } from '../setup/openapi';
import { PASSWORD, type Person, registration } from '../setup/people';
import { type Service, type ServiceRequest, startService } from '../setup/service';

const NOBODY = '01890000-0000-7000-8000-000000000000';
const deletion = {
  specversion: '1.0',
  source: 'rollcall',
  type: 'user.deleted',
  subject: NOBODY,
  time: '2026-11-20T16:37:15.123Z',
  datacontenttype: 'application/json',
  sequence: '0000000001',
  data: { id: NOBODY },
};
const TIGHT = Object.fromEntries(
  [
    'LOGIN_ADDRESS',
    'PASSKEY_ADDRESS',
    'REGISTER_ADDRESS',
    'REFRESH_ADDRESS',
    'MAIL_ADDRESS',
    'LOGIN_ACCOUNT',
    'UPDATE_ACCOUNT',
    'EXPORT_ACCOUNT',
  ].map((name) => [`RATE_LIMIT_${name}`, '1/3600']),
) satisfies Record<string, string>;

const RETURN_URL = 'https://app.example.com/signed-in';

let service: Service;
let admin: string;
/** `GET /users` → the statuses seen. */
const seen = new Map<string, Set<number>>();
beforeAll(async () => {
  service = await startService({ RETURN_URLS: RETURN_URL });
  admin = service.adminToken;
});
afterAll(() => service.stop());

type Check = (reply: TestReply) => void;

async function expectStatus(
  operation: string,
  status: number,
  code: string | null,
  request: ServiceRequest & { path?: string } = {},
  check: Check = () => {},
  at = service,
): Promise<TestReply> {
  const [method = '', template = ''] = operation.split(' ');
  const reply = await at.request(request.path ?? template, { ...request, method });
  const said = reply.status < 400 ? null : (reply.body?.code ?? null);
  expect([operation, reply.status, said]).toEqual([operation, status, code]);
  expect(reply.headers['x-request-id']).toBeDefined();
  expect(reply.headers['x-content-type-options']).toBe('nosniff');
  if (code !== null) {
    expect(reply.headers['content-type']).toContain('application/problem+json');
    expect(reply.body.status).toBe(statusOf(reply.body.code));
  }
  check(reply);
  seen.set(operation, (seen.get(operation) ?? new Set()).add(status));
  return reply;
}

async function register(): Promise<Person> {
  return (await service.request('/register', { method: 'POST', body: registration() })).body;
}

async function mailToken(
  person: Person,
  purpose: EmailTokenPurpose,
  address = person.user.email ?? '',
): Promise<string> {
  const token = newOpaqueToken();
  await service.db.transaction().execute((tx) =>
    insertEmailToken(tx, {
      hash: hashToken(token),
      userId: person.user.id,
      purpose,
      address,
      now: new Date(),
      expiresAt: new Date(Date.now() + 60_000),
    }),
  );
  return token;
}

/** A request for a code that was mailed. */
async function mailedCode({ user }: Person): Promise<{ emailToken: string; code: string }> {
  const emailToken = newOpaqueToken();
  const tokenHash = hashToken(emailToken);
  const id = uuidv7();
  await service.db.transaction().execute(async (tx) => {
    const addressHash = hashAddress(service.ctx, user.email ?? '');
    const expiresAt = new Date(Date.now() + 60_000);
    await insertCodeRequest(tx, { id, tokenHash, userId: user.id, addressHash, expiresAt }, new Date());
    await markMailed(tx, id, new Date());
  });
  return { emailToken, code: codeOfRequest(service.ctx, tokenHash) };
}

const post = 'POST' as const;
const operations = documented.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
const withBody = documented.filter(({ operation }) => 'requestBody' in operation);
const bearer = documented.filter(({ operation }) => {
  const { security } = operation as { security?: object[] };
  return security !== undefined && !security.some((one) => Object.keys(one).length === 0);
});
const nameOf = ({ method, path }: { method: string; path: string }) => `${method.toUpperCase()} ${path}`;
/** The path with the ids of a user, a session and a role that exist nowhere. */
const unknown = (path: string) =>
  path
    // Nobody does that for others.
    .replace('{id}/totp', 'me/totp')
    .replace('{id}/passkeys', 'me/passkeys')
    .replace('{passkeyId}', NOBODY)
    .replace('{id}', NOBODY)
    .replace('{sessionId}', NOBODY)
    .replace('{deliveryId}', NOBODY)
    .replace('{replayId}', NOBODY)
    .replace('{factorId}', NOBODY)
    .replace('{name}', 'nobody');

describe('what all that take a body have in common', () => {
  test.each(withBody.map((each) => [nameOf(each), each.path] as const))('%s', async (operation, path) => {
    const request = { path: unknown(path), token: admin };
    await expectStatus(operation, 400, 'invalid_json', { ...request, body: '{' });
    await expectStatus(operation, 413, 'payload_too_large', { ...request, body: { x: 'x'.repeat(66_000) } });
    const plain = { ...request, body: 'x', headers: { 'content-type': 'text/plain' } };
    await expectStatus(operation, 415, 'unsupported_media_type', plain);
    await expectStatus(operation, 422, 'invalid_request', { ...request, body: { x: 1 } }, ({ body }) => {
      expect(body.errors).toContainEqual({ path: 'x', message: 'is not a known field' });
    });
  });
});

test.each(bearer.map((each) => [nameOf(each), each.path] as const))(
  'without a token, %s is 401 and says which scheme to use',
  async (operation, path) => {
    await expectStatus(operation, 401, 'unauthorized', { path: unknown(path) }, ({ headers }) => {
      expect(headers['www-authenticate']).toBe('Bearer');
    });
  },
);

test('register, and what a registration can run into', async () => {
  const body = registration();
  const aliases = operations.filter((operation) => /POST .*(register|signup|users)\/?$/.test(operation));
  expect(aliases).toHaveLength(6);
  for (const operation of aliases) {
    await expectStatus(operation, 201, null, { body: registration() }, ({ headers, body: { user } }) => {
      expect(headers['location']).toBe(`/users/${user.id}`);
    });
    const person = await register();
    await expectStatus(operation, 401, 'unauthorized', { body, token: 'nonsense' });
    await expectStatus(operation, 403, 'forbidden', {
      body: registration({ role: 'admin' }),
      token: person.accessToken,
    });
    const { username, email } = person.user;
    await expectStatus(operation, 409, 'username_taken', { body: registration({ username }) });
    await expectStatus(operation, 409, 'email_taken', { body: registration({ email }) });
    const headers = { 'idempotency-key': `key of ${operation}` };
    await expectStatus(
      operation,
      201,
      null,
      { body, headers: { ...headers, 'x-request-id': 'first' } },
      () => {
        body.username += 'x';
        body.email = `x${body.email}`;
      },
    );
    await expectStatus(operation, 422, 'idempotency_key_reused', { body, headers });
  }
});

test('log in, refresh, log out', async () => {
  const person = await register();
  const { username } = person.user;
  for (const operation of ['POST /login', 'POST /auth/login']) {
    await expectStatus(operation, 200, null, { body: { username, password: PASSWORD } });
    await expectStatus(operation, 401, 'invalid_credentials', { body: { username, password: 'wrong' } });
  }
  for (const operation of ['POST /refresh', 'POST /auth/refresh']) {
    const { refreshToken } = await register();
    await expectStatus(operation, 200, null, { body: { refreshToken } });
    await expectStatus(operation, 401, 'invalid_refresh_token', { body: { refreshToken: 'nonsense' } });
  }
  await expectStatus('POST /step-up', 401, 'invalid_credentials', {
    token: person.accessToken,
    body: { password: 'wrong' },
  });
  await expectStatus('POST /step-up', 200, null, { token: person.accessToken, body: { password: PASSWORD } });
  for (const operation of ['POST /logout', 'POST /auth/logout']) {
    const { accessToken } = await register();
    await expectStatus(operation, 200, null, { token: accessToken }, ({ body }) => {
      expect(body).toEqual({ status: 'logout successful' });
    });
    await expectStatus(operation, 401, 'unauthorized', { token: accessToken }, ({ headers }) => {
      expect(headers['www-authenticate']).toBe('Bearer error="invalid_token"');
    });
  }
});

test('suspend and restore a user, who is refused meanwhile', async () => {
  const [a, b] = [await register(), await register()];
  const path = `/users/${a.user.id}/suspension`;
  const own = { token: a.accessToken };
  const authenticator = new SoftwareAuthenticator();
  const creation = await service.request('/users/me/passkeys/options', { method: post, ...own });
  const credential = authenticator.register(creation.body.options);
  await service.request('/users/me/passkeys', { method: post, ...own, body: { credential } });
  const login = { username: a.user.username, password: PASSWORD };
  const assertion = async () => {
    const { body } = await service.request('/login/passkey/options', { method: post });
    return authenticator.authenticate(body.options);
  };
  const factorToken = async () =>
    (await service.request('/login', { method: post, body: login })).body.factorToken;

  const other = { username: b.user.username, password: PASSWORD };
  const stale = { headers: { 'if-match': '"77"' } };
  for (const operation of ['PUT /users/{id}/suspension', 'DELETE /users/{id}/suspension']) {
    await expectStatus(operation, 403, 'forbidden', { path, token: b.accessToken });
    await expectStatus(operation, 404, 'not_found', { path: `/users/${NOBODY}/suspension`, token: admin });
    await expectStatus(operation, 412, 'version_mismatch', { path, token: admin, ...stale });
  }
  // The administrator has only one peer, by a role of another name.
  const me = (await service.request('/users/me', { token: admin })).body;
  await service.request('/roles/deputy', { method: 'PUT', token: admin, body: { permissions: PERMISSIONS } });
  const deputy = { path: `/users/${b.user.id}/role`, token: admin };
  await service.request(deputy.path, { ...deputy, method: 'PUT', body: { role: 'deputy' } });
  const last = { path: `/users/${me.id}/suspension`, token: b.accessToken };
  await expectStatus('PUT /users/{id}/suspension', 409, 'last_admin', last);
  await service.request(deputy.path, { ...deputy, method: 'PUT', body: { role: 'user' } });
  await expectStatus('PUT /users/{id}/suspension', 200, null, { path, token: admin });
  const factor = async () => ({
    body: { factorToken: await factorToken(), type: 'passkey', assertion: await assertion() },
  });
  await expectStatus('POST /login/passkey', 403, 'user_suspended', {
    body: { assertion: await assertion() },
  });
  await expectStatus('POST /login/factor', 403, 'user_suspended', await factor());
  await expectStatus('DELETE /users/{id}/suspension', 200, null, { path, token: admin });

  const replayed = registration();
  const key = { 'idempotency-key': replayed.username };
  const { user } = (await service.request('/register', { method: post, body: replayed, headers: key })).body;
  for (const id of [user.id, b.user.id])
    await service.request(`/users/${id}/suspension`, { method: 'PUT', token: admin });
  await expectStatus('POST /register', 403, 'user_suspended', { body: replayed, headers: key });
  for (const operation of ['POST /login', 'POST /auth/login'])
    await expectStatus(operation, 403, 'user_suspended', { body: other });
});

test('the flows that go by mail', async () => {
  const person = await register();
  const token = await mailToken(person, 'verify_email');
  await expectStatus('POST /verify-email', 200, null, { body: { token } });
  await expectStatus('POST /verify-email', 400, 'invalid_token', { body: { token } });
  const other = await register();
  const wanted = `new-${other.user.email}`;
  const request = { email: wanted, currentPassword: PASSWORD };
  await service.request('/users/me', { method: 'PUT', token: other.accessToken, body: request });
  const body = { token: await mailToken(other, 'verify_email', wanted) };
  const stop = {
    token: await mailToken(other, 'undo_email_change'),
    password: 'quite another password',
  };
  await service.request('/register', { method: post, body: registration({ email: wanted }) });
  await expectStatus('POST /verify-email', 409, 'email_taken', { body });
  await expectStatus('POST /undo-email-change', 200, null, { body: stop });
  await expectStatus('POST /undo-email-change', 400, 'invalid_token', { body: stop });
  const third = await register();
  const taken = { token: await mailToken(third, 'undo_email_change', wanted), password: stop.password };
  await service.db
    .insertInto('former_emails')
    .values({
      user_id: third.user.id,
      address: wanted,
      version: 1,
      restorable_until: new Date(Date.now() + 60_000),
    })
    .execute();
  await expectStatus('POST /undo-email-change', 409, 'email_taken', { body: taken });
  await expectStatus('POST /verify-email/resend', 202, null, { token: person.accessToken });
  await expectStatus('POST /forgot-password', 202, null, { body: { email: person.user.email } });
  const reset = { token: await mailToken(person, 'reset_password'), password: 'quite another password' };
  await expectStatus('POST /reset-password', 200, null, { body: reset });
  await expectStatus('POST /reset-password', 400, 'invalid_token', { body: reset });
});

test('sign-in by mail', async () => {
  const person = await register();
  const { id, email } = person.user;
  await expectStatus('POST /login/email', 202, null, { body: { email } });
  const requests = service.db.selectFrom('mailed_codes').where('user_id', '=', id);
  const { count } = await requests
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .executeTakeFirstOrThrow();
  expect(count).toBe('1');
  const request = await mailedCode(person);
  const verify = 'POST /login/email/verify';
  await expectStatus(verify, 401, 'invalid_code', { body: { ...request, code: 'x' } });
  await expectStatus(verify, 200, null, { body: request });
  await expectStatus(verify, 400, 'invalid_token', { body: request });
  const other = await register();
  const sent = await mailedCode(other);
  await service.request(`/users/${other.user.id}/suspension`, { method: 'PUT', token: admin });
  await expectStatus(verify, 403, 'user_suspended', { body: sent });
  const { emailToken, code } = await mailedCode(person);
  await expectStatus('POST /step-up', 400, 'invalid_token', {
    token: (await register()).accessToken,
    body: { emailToken, emailCode: code },
  });
  const without = await startService({ EMAIL_LOGIN: 'off' });
  for (const operation of ['POST /login/email', verify])
    await expectStatus(operation, 404, 'not_found', { body: {} }, () => {}, without);
  await without.stop();
});

test('read, change and delete a user', async () => {
  const [a, b] = [await register(), await register()];
  const path = `/users/${a.user.id}`;
  const own = { path, token: a.accessToken };
  const others = { path, token: b.accessToken };
  const nobody = { path: `/users/${NOBODY}`, token: admin };
  await expectStatus('GET /users/me', 200, null, { token: a.accessToken });
  const cached = { headers: { 'if-none-match': '"1"' } };
  await expectStatus('GET /users/me', 304, null, { token: a.accessToken, ...cached });
  await expectStatus('GET /users/{id}', 200, null, own);
  await expectStatus('GET /users/{id}', 304, null, { ...own, ...cached });
  const stale = { headers: { 'if-match': '"77"' } };
  for (const [operation, body] of [
    ['GET /users/{id}', undefined],
    ['PUT /users/{id}', { displayName: 'X' }],
    ['DELETE /users/{id}', undefined],
  ] as const) {
    await expectStatus(operation, 403, 'forbidden', { ...others, body });
    await expectStatus(operation, 404, 'not_found', { ...nobody, body });
    if (!operation.startsWith('GET')) {
      await expectStatus(operation, 412, 'version_mismatch', { ...own, ...stale, body });
    }
  }
  const changed = { ...own, body: { displayName: 'X' } };
  await expectStatus('PUT /users/{id}', 200, null, changed, ({ headers }) =>
    expect(headers['etag']).toBe('"2"'),
  );
  const { username, email } = b.user;
  await expectStatus('PUT /users/{id}', 409, 'username_taken', { ...own, body: { username } });
  await expectStatus('PUT /users/{id}', 409, 'email_taken', {
    ...own,
    body: { email, currentPassword: PASSWORD },
  });
  await expectStatus('DELETE /users/{id}', 409, 'last_admin', { path: '/users/me', token: admin });
  await expectStatus('DELETE /users/{id}', 200, null, own);
});

test('passwords, roles and sessions of a user', async () => {
  const [a, b] = [await register(), await register()];
  const at = (part: string, token: string, id = a.user.id) => ({ path: `/users/${id}/${part}`, token });
  const stale = { headers: { 'if-match': '"77"' } };
  const password = { currentPassword: PASSWORD, newPassword: 'quite another password' };
  const put = 'PUT /users/{id}/password';
  await expectStatus(put, 401, 'invalid_credentials', {
    ...at('password', a.accessToken),
    body: { ...password, currentPassword: 'wrong' },
  });
  await expectStatus(put, 403, 'forbidden', { ...at('password', b.accessToken), body: password });
  await expectStatus(put, 404, 'not_found', { ...at('password', admin, NOBODY), body: password });
  await expectStatus(put, 412, 'version_mismatch', {
    ...at('password', a.accessToken),
    ...stale,
    body: password,
  });
  await expectStatus(put, 204, null, { ...at('password', admin), body: { newPassword: PASSWORD } });
  a.accessToken = (
    await service.request('/login', {
      method: post,
      body: { username: a.user.username, password: PASSWORD },
    })
  ).body.accessToken;
  const { body: fresh } = await expectStatus(put, 200, null, {
    ...at('password', a.accessToken),
    body: password,
  });
  a.accessToken = fresh.accessToken;

  const none = 'DELETE /users/{id}/password';
  await expectStatus(none, 403, 'forbidden', at('password', admin));
  await expectStatus(none, 409, 'last_sign_in_method', at('password', a.accessToken));
  await expectStatus(none, 412, 'version_mismatch', { ...at('password', a.accessToken), ...stale });
  const c = await register();
  const verified = { method: 'PUT', token: admin, body: { emailVerified: true } };
  await service.request(`/users/${c.user.id}`, verified);
  await expectStatus(none, 204, null, at('password', c.accessToken, c.user.id));
  await expectStatus(none, 404, 'not_found', at('password', c.accessToken, c.user.id));

  const role = 'PUT /users/{id}/role';
  const body = { role: 'user' };
  await expectStatus(role, 200, null, { ...at('role', admin), body });
  await expectStatus(role, 403, 'forbidden', { ...at('role', a.accessToken), body });
  await expectStatus(role, 404, 'not_found', { ...at('role', admin, NOBODY), body });
  await expectStatus(role, 409, 'last_admin', { ...at('role', admin, 'me'), body });
  await expectStatus(role, 412, 'version_mismatch', { ...at('role', admin), ...stale, body });

  const list = 'GET /users/{id}/sessions';
  const { body: listed } = await expectStatus(list, 200, null, at('sessions', a.accessToken));
  await expectStatus(list, 403, 'forbidden', at('sessions', b.accessToken));
  await expectStatus(list, 404, 'not_found', at('sessions', admin, NOBODY));
  const end = 'DELETE /users/{id}/sessions/{sessionId}';
  const session = `sessions/${listed.sessions[0].id}`;
  await expectStatus(end, 403, 'forbidden', at(session, b.accessToken));
  await expectStatus(end, 404, 'not_found', at(`sessions/${NOBODY}`, a.accessToken));
  await expectStatus(end, 204, null, at(session, a.accessToken));
  const endAll = 'DELETE /users/{id}/sessions';
  await expectStatus(endAll, 403, 'forbidden', at('sessions', b.accessToken));
  await expectStatus(endAll, 404, 'not_found', at('sessions', admin, NOBODY));
  await expectStatus(endAll, 200, null, at('sessions', admin));
});

test('second factors, and logins with them', async () => {
  const [a, b] = [await register(), await register()];
  const at = (part: string, token = a.accessToken, id = 'me') => ({ path: `/users/${id}/${part}`, token });
  const { id, username } = a.user;
  const [add, confirm] = ['POST /users/{id}/totp', 'POST /users/{id}/totp/confirm'];
  const codes = 'POST /users/{id}/recovery-codes';
  await expectStatus(codes, 409, 'no_second_factor', at('recovery-codes'));
  await expectStatus(confirm, 404, 'not_found', { ...at('totp/confirm'), body: { code: '123456' } });
  const { body: totp } = await expectStatus(add, 201, null, at('totp'));
  await expectStatus(add, 403, 'forbidden', at('totp', admin, id));
  const wrong = { ...at('totp/confirm'), body: { code: '000000' } };
  await expectStatus(confirm, 401, 'invalid_code', wrong);
  await expectStatus(confirm, 403, 'forbidden', { ...at('totp/confirm', admin, id), body: wrong.body });
  const code = (steps = 0) => codeOf(totp.secret, new Date(Date.now() + steps * 30_000));
  await expectStatus(confirm, 200, null, { ...at('totp/confirm'), body: { code: code(-1) } });
  const { body: recovery } = await expectStatus(codes, 201, null, at('recovery-codes'));
  await expectStatus(codes, 403, 'forbidden', at('recovery-codes', admin, id));

  const credentials = { username, password: PASSWORD };
  const begin = (path: string) => service.request(path, { method: post, body: credentials });
  const proof = { type: 'recovery_code', code: recovery.codes[0] };
  const second = 'POST /login/factor';
  const { factorToken } = (await begin('/login')).body;
  await expectStatus(second, 401, 'invalid_code', { body: { factorToken, ...proof, type: 'totp' } });
  await expectStatus(second, 200, null, { body: { factorToken, ...proof } });
  await expectStatus(second, 400, 'invalid_token', { body: { factorToken, ...proof } });
  const stepUp = { token: a.accessToken, body: { password: PASSWORD } };
  await expectStatus('POST /step-up', 401, 'second_factor_required', stepUp);

  for (let index = 0; index < 2; index++) {
    const { body: spare } = await service.request('/users/me/totp', { method: post, token: a.accessToken });
    await service.request('/users/me/totp/confirm', {
      method: post,
      token: a.accessToken,
      body: { code: codeOf(spare.secret, new Date()) },
    });
  }
  await expectStatus(add, 409, 'too_many_factors', at('totp'));

  const list = 'GET /users/{id}/factors';
  await expectStatus(list, 200, null, at('factors'));
  await expectStatus(list, 403, 'forbidden', at('factors', b.accessToken, id));
  await expectStatus(list, 404, 'not_found', at('factors', admin, NOBODY));
  const remove = 'DELETE /users/{id}/factors/{factorId}';
  const one = `factors/${totp.factorId}`;
  await expectStatus(remove, 403, 'forbidden', at(one, b.accessToken, id));
  await expectStatus(remove, 204, null, at(one, admin, id));
  await expectStatus(remove, 404, 'not_found', at(one));
});

test('passkeys, and logins with them', async () => {
  const [a, b] = [await register(), await register()];
  const at = (part: string, token = a.accessToken, id = 'me') => ({ path: `/users/${id}/${part}`, token });
  const { id, username } = a.user;
  const [forNew, add] = ['POST /users/{id}/passkeys/options', 'POST /users/{id}/passkeys'];
  const key = new SoftwareAuthenticator();
  const { body: first } = await expectStatus(forNew, 200, null, at('passkeys/options'));
  await expectStatus(forNew, 403, 'forbidden', at('passkeys/options', admin, id));
  const credential = key.register(first.options);
  await expectStatus(add, 403, 'forbidden', { ...at('passkeys', admin, id), body: { credential } });
  const foreign = key.register(first.options, { origin: 'https://evil.example' });
  await expectStatus(add, 422, 'invalid_passkey', { ...at('passkeys'), body: { credential: foreign } });
  const { body: passkey } = await expectStatus(add, 201, null, { ...at('passkeys'), body: { credential } });
  const { body: again } = await expectStatus(forNew, 200, null, at('passkeys/options'));
  const twice = { ...at('passkeys'), body: { credential: key.register(again.options) } };
  await expectStatus(add, 409, 'passkey_taken', twice);

  const [options, log] = ['POST /login/passkey/options', 'POST /login/passkey'];
  const assertion = async () => key.authenticate((await expectStatus(options, 200, null)).body.options);
  const once = { body: { assertion: await assertion() } };
  await expectStatus(log, 200, null, once);
  await expectStatus(log, 401, 'invalid_assertion', once);
  const credentials = { username, password: PASSWORD };
  const begun = await service.request('/login', { method: post, body: credentials });
  expect(begun.body.factors).toEqual(['passkey']);
  const sent = { factorToken: begun.body.factorToken, type: 'passkey' };
  const second = 'POST /login/factor';
  await expectStatus(second, 401, 'invalid_assertion', { body: { ...sent, ...once.body } });
  await expectStatus(second, 200, null, { body: { ...sent, assertion: await assertion() } });
  const proof = { token: a.accessToken, body: { assertion: await assertion() } };
  await expectStatus('POST /step-up', 200, null, proof);
  await expectStatus('POST /step-up', 401, 'invalid_assertion', proof);

  for (let index = 0; index < 9; index++) {
    const { body } = await service.request('/users/me/passkeys/options', {
      method: post,
      token: a.accessToken,
    });
    const spare = { credential: new SoftwareAuthenticator('EdDSA').register(body.options) };
    await service.request('/users/me/passkeys', { method: post, token: a.accessToken, body: spare });
  }
  await expectStatus(forNew, 409, 'too_many_factors', at('passkeys/options'));

  const list = 'GET /users/{id}/passkeys';
  await expectStatus(list, 200, null, at('passkeys'));
  await expectStatus(list, 403, 'forbidden', at('passkeys', b.accessToken, id));
  await expectStatus(list, 404, 'not_found', at('passkeys', admin, NOBODY));
  const [rename, one] = ['PUT /users/{id}/passkeys/{passkeyId}', `passkeys/${passkey.id}`];
  const body = { name: 'Laptop' };
  await expectStatus(rename, 200, null, { ...at(one), body });
  await expectStatus(rename, 403, 'forbidden', { ...at(one, admin, id), body });
  await expectStatus(rename, 404, 'not_found', { ...at(one, b.accessToken), body });
  const remove = 'DELETE /users/{id}/passkeys/{passkeyId}';
  await expectStatus(remove, 403, 'forbidden', at(one, b.accessToken, id));
  await expectStatus(remove, 204, null, at(one, admin, id));
  await expectStatus(remove, 404, 'not_found', at(one));
  const only = new SoftwareAuthenticator('EdDSA');
  const { body: own } = await service.request('/users/me/passkeys/options', {
    method: post,
    token: b.accessToken,
  });
  const { body: last } = await service.request('/users/me/passkeys', {
    method: post,
    token: b.accessToken,
    body: { credential: only.register(own.options) },
  });
  await service.request('/users/me/password', { method: 'DELETE', token: b.accessToken });
  await expectStatus(remove, 409, 'last_sign_in_method', at(`passkeys/${last.id}`, b.accessToken));
});

test('roles, and the lists for those who may read them', async () => {
  const { accessToken, user } = await register();
  const support = { path: '/roles/support', token: admin };
  const body = { permissions: [] };
  await expectStatus('PUT /roles/{name}', 201, null, { ...support, body });
  await expectStatus('PUT /roles/{name}', 200, null, { ...support, body });
  await expectStatus('PUT /roles/{name}', 403, 'forbidden', { ...support, token: accessToken, body });
  await expectStatus('PUT /roles/{name}', 409, 'built_in_role', { path: '/roles/admin', token: admin, body });
  await service.request(`/users/${user.id}/role`, { method: 'PUT', token: admin, body: { role: 'support' } });
  await expectStatus('DELETE /roles/{name}', 409, 'role_in_use', support);
  await service.request(`/users/${user.id}/role`, { method: 'PUT', token: admin, body: { role: 'user' } });
  await expectStatus('DELETE /roles/{name}', 403, 'forbidden', { ...support, token: accessToken });
  await expectStatus('DELETE /roles/{name}', 204, null, support);
  await expectStatus('DELETE /roles/{name}', 404, 'not_found', support);
  for (const path of [
    '/roles',
    '/queues',
    '/users',
    '/events',
    '/audit',
    '/analytics/registrations',
    '/analytics/events',
  ]) {
    await expectStatus(`GET ${path}`, 200, null, { token: admin });
    await expectStatus(`GET ${path}`, 403, 'forbidden', { token: accessToken });
    if (path === '/roles' || path === '/queues') continue;
    await expectStatus(`GET ${path}`, 422, 'invalid_request', { path: `${path}?limit=0`, token: admin });
  }
});

test('replay, and dead letters', async () => {
  const { accessToken } = await register();
  const token = admin;
  const queue = queueOf(service.events, 'audit');
  const insert = async (event: boolean) => {
    const id = uuidv7();
    await service.db
      .insertInto('dead_letters')
      .values({
        ...{
          id,
          fingerprint: Buffer.from(id),
          queue,
          message_id: id,
          subject: NOBODY,
          error: 'x',
          attempts: 6,
        },
        event: event ? JSON.stringify({ ...deletion, id }) : null,
        body: event ? null : Buffer.from('{'),
      })
      .execute();
    return `/dead-letters/${id}`;
  };
  const [letter, broken] = [await insert(true), await insert(false)];
  const nowhere = `/dead-letters/${NOBODY}`;

  const replay = { token, body: { queue, types: ['user.created'] } };
  const { body: requested } = await expectStatus('POST /events/replay', 202, null, replay);
  const dryRun = { token, body: { queue, dryRun: true } };
  await expectStatus('POST /events/replay', 200, null, dryRun);
  await expectStatus('POST /events/replay', 403, 'forbidden', { token: accessToken, body: { queue } });
  const [list, get] = ['GET /events/replays', 'GET /events/replays/{replayId}'];
  await expectStatus(list, 200, null, { token });
  await expectStatus(list, 403, 'forbidden', { token: accessToken });
  await expectStatus(list, 422, 'invalid_request', { token, path: '/events/replays?limit=0' });
  await expectStatus(get, 200, null, { token, path: `/events/replays/${requested.id}` });
  await expectStatus(get, 403, 'forbidden', { token: accessToken, path: `/events/replays/${NOBODY}` });
  await expectStatus(get, 404, 'not_found', { token, path: `/events/replays/${NOBODY}` });
  await expectStatus('POST /analytics/rebuild', 202, null, { token, body: {} });
  await expectStatus('POST /analytics/rebuild', 403, 'forbidden', { token: accessToken, body: {} });
  await expectStatus('GET /dead-letters', 200, null, { token });
  await expectStatus('GET /dead-letters', 403, 'forbidden', { token: accessToken });
  await expectStatus('GET /dead-letters', 422, 'invalid_request', { token, path: '/dead-letters?limit=0' });

  const event = 'GET /events/{id}';
  const { body: log } = await service.request('/events?after=&limit=1', { token });
  const path = `/events/${log.events[0].id}`;
  await expectStatus(event, 200, null, { token, path });
  await expectStatus(event, 403, 'forbidden', { token: accessToken, path });
  await expectStatus(event, 404, 'not_found', { token, path: `/events/${NOBODY}` });
  const one = 'GET /dead-letters/{id}';
  await expectStatus(one, 200, null, { token, path: letter });
  await expectStatus(one, 403, 'forbidden', { token: accessToken, path: letter });
  await expectStatus(one, 404, 'not_found', { token, path: nowhere });

  const edited = { event: { ...deletion, id: letter.split('/').at(-1) } };
  await expectStatus('PUT /dead-letters/{id}', 200, null, { token, path: letter, body: edited });
  await expectStatus('PUT /dead-letters/{id}', 403, 'forbidden', {
    token: accessToken,
    path: letter,
    body: edited,
  });
  await expectStatus('PUT /dead-letters/{id}', 404, 'not_found', { token, path: nowhere, body: edited });

  const redrive = 'POST /dead-letters/{id}/redrive';
  await expectStatus(redrive, 403, 'forbidden', { token: accessToken, path: `${letter}/redrive` });
  await expectStatus(redrive, 404, 'not_found', { token, path: `${nowhere}/redrive` });
  await expectStatus(redrive, 409, 'not_redrivable', { token, path: `${broken}/redrive` });
  await expectStatus(redrive, 202, null, { token, path: `${letter}/redrive` });
  await expectStatus('POST /dead-letters/redrive', 202, null, { token, body: { queue } });
  await expectStatus('POST /dead-letters/redrive', 403, 'forbidden', { token: accessToken, body: { queue } });

  const remove = 'DELETE /dead-letters/{id}';
  await expectStatus(remove, 403, 'forbidden', { token: accessToken, path: broken });
  await expectStatus(remove, 204, null, { token, path: broken });
  await expectStatus(remove, 404, 'not_found', { token, path: broken });
});

test('data holders, and erasures that they confirm', async () => {
  const [a, b] = [await register(), await register()];
  const other = { token: b.accessToken };
  const crm = { path: '/data-holders/crm', token: admin };
  const [get, put, remove] = ['GET', 'PUT', 'DELETE'].map((method) => `${method} /data-holders/{name}`) as [
    string,
    string,
    string,
  ];
  await expectStatus(get, 404, 'not_found', crm);
  const settings = { body: { queue: 'crm.rollcall' } };
  await expectStatus(put, 201, null, { ...crm, ...settings });
  await expectStatus(put, 200, null, { ...crm, body: { ...settings.body, deadlineSeconds: 60 } });
  await expectStatus(put, 412, 'version_mismatch', { ...crm, ...settings, headers: { 'if-match': '"77"' } });
  await expectStatus(put, 403, 'forbidden', { ...crm, ...settings, ...other });
  await expectStatus(get, 200, null, crm);
  await expectStatus(get, 304, null, { ...crm, headers: { 'if-none-match': '"2"' } });
  await expectStatus(get, 403, 'forbidden', { ...crm, ...other });
  await expectStatus('GET /data-holders', 200, null, { token: admin });
  await expectStatus('GET /data-holders', 403, 'forbidden', other);
  const key = 'POST /data-holders/{name}/key';
  await expectStatus(key, 403, 'forbidden', { path: '/data-holders/crm/key', ...other });
  await expectStatus(key, 404, 'not_found', { path: '/data-holders/nobody/key', token: admin });
  const { body: keyed } = await expectStatus(key, 201, null, { path: '/data-holders/crm/key', token: admin });

  const erase = 'POST /users/{id}/erasure';
  const path = `/users/${a.user.id}/erasure`;
  await expectStatus(erase, 403, 'forbidden', { path, ...other });
  await expectStatus(erase, 404, 'not_found', { path: `/users/${NOBODY}/erasure`, token: admin });
  await expectStatus(erase, 409, 'last_admin', { path: '/users/me/erasure', token: admin });
  await expectStatus(erase, 412, 'version_mismatch', {
    path,
    token: a.accessToken,
    headers: { 'if-match': '"77"' },
  });
  const { body: opened } = await expectStatus(erase, 202, null, { path, token: a.accessToken });
  const one = { path: `/erasures/${opened.id}`, token: admin };
  await expectStatus('GET /erasures/{id}', 200, null, one);
  await expectStatus('GET /erasures/{id}', 403, 'forbidden', { ...one, ...other });
  await expectStatus('GET /erasures/{id}', 404, 'not_found', { ...one, path: `/erasures/${NOBODY}` });
  await expectStatus('GET /erasures', 200, null, { token: admin });
  await expectStatus('GET /erasures', 403, 'forbidden', other);
  await expectStatus('GET /erasures', 422, 'invalid_request', { path: '/erasures?limit=0', token: admin });
  const lookup = { body: { email: a.user.email } };
  await expectStatus('POST /erasures/lookup', 200, null, { token: admin, ...lookup });
  await expectStatus('POST /erasures/lookup', 403, 'forbidden', { ...other, ...lookup });

  await expectStatus(remove, 409, 'holder_awaited', crm);
  const redrive = 'POST /erasures/{id}/holders/{name}/redrive';
  const again = { path: `${one.path}/holders/crm/redrive`, token: admin };
  await expectStatus(redrive, 202, null, again);
  await expectStatus(redrive, 403, 'forbidden', { ...again, ...other });
  await expectStatus(redrive, 404, 'not_found', { ...again, path: `${one.path}/holders/nobody/redrive` });
  const receive = 'POST /erasures/{id}/receipts';
  const receipt = { path: `${one.path}/receipts`, token: keyed.key, body: { outcome: 'erased' } };
  await expectStatus(receive, 403, 'forbidden', { ...receipt, ...other });
  await expectStatus(receive, 404, 'not_found', { ...receipt, path: `/erasures/${NOBODY}/receipts` });
  await expectStatus(receive, 204, null, receipt);
  await expectStatus(redrive, 409, 'not_redrivable', again);
  await expectStatus(remove, 403, 'forbidden', { ...crm, ...other });
  await expectStatus(remove, 412, 'version_mismatch', { ...crm, headers: { 'if-match': '"77"' } });
  await expectStatus(remove, 204, null, crm);
  await expectStatus(remove, 404, 'not_found', crm);
});

test('exports, and what data holders answer to them', async () => {
  const [a, b] = [await register(), await register()];
  const shop = { path: '/data-holders/shop', token: admin };
  await service.request(shop.path, { method: 'PUT', token: admin, body: {} });
  const { body: keyed } = await service.request(`${shop.path}/key`, { method: post, token: admin });
  const request = 'POST /users/{id}/exports';
  const path = `/users/${a.user.id}/exports`;
  await expectStatus(request, 403, 'forbidden', { path, token: b.accessToken });
  await expectStatus(request, 404, 'not_found', { path: `/users/${NOBODY}/exports`, token: admin });
  const { body: opened } = await expectStatus(request, 202, null, { path, token: a.accessToken });
  const { body: boss } = await expectStatus(request, 202, null, { path: '/users/me/exports', token: admin });
  // Who answers requests of persons, and may not do for an administrator what an administrator may.
  const permissions = ['erasures:read', 'erasures:write'];
  await service.request('/roles/officer', { method: 'PUT', token: admin, body: { permissions } });
  const role = { role: 'officer' };
  await service.request(`/users/${b.user.id}/role`, { method: 'PUT', token: admin, body: role });

  const receive = 'POST /exports/{id}/receipts';
  const body = { outcome: 'exported', data: { orders: 1 } };
  const receipt = { path: `/exports/${opened.id}/receipts`, token: keyed.key, body };
  await expectStatus(receive, 403, 'forbidden', { ...receipt, token: a.accessToken });
  await expectStatus(receive, 404, 'not_found', { ...receipt, path: `/exports/${NOBODY}/receipts` });
  const [get, data] = ['GET /exports/{id}', 'GET /exports/{id}/data'];
  const one = { path: `/exports/${opened.id}`, token: a.accessToken };
  const its = { path: `/exports/${opened.id}/data`, token: a.accessToken };
  await expectStatus(data, 409, 'export_pending', its);
  await expectStatus(receive, 204, null, receipt);
  await expectStatus(get, 200, null, one);
  await expectStatus(get, 404, 'not_found', { ...one, path: `/exports/${NOBODY}` });
  await expectStatus(get, 403, 'forbidden', { path: `/exports/${boss.id}`, token: b.accessToken });
  await expectStatus(data, 200, null, its, ({ headers, body: document }) => {
    expect(headers['content-disposition']).toContain('attachment');
    expect(document.parts.shop).toEqual({ orders: 1 });
  });
  await expectStatus(data, 404, 'not_found', { ...its, path: `/exports/${NOBODY}/data` });
  await expectStatus(data, 403, 'forbidden', { path: `/exports/${boss.id}/data`, token: b.accessToken });
  const bosses = { ...receipt, path: `/exports/${boss.id}/receipts` };
  await expectStatus(receive, 204, null, bosses);
  await service.request(shop.path, { method: 'DELETE', token: admin });
});

test('webhooks', async () => {
  const { accessToken } = await register();
  const webhook = { url: 'https://crm.example.com/', eventTypes: ['user.created'] };
  const list = { path: '/webhooks', token: admin };
  const { body: made } = await expectStatus(
    'POST /webhooks',
    201,
    null,
    { ...list, body: webhook },
    ({ headers, body }) => expect(headers['location']).toBe(`/webhooks/${body.id}`),
  );
  await expectStatus('POST /webhooks', 403, 'forbidden', { token: accessToken, body: webhook });
  await expectStatus('GET /webhooks', 200, null, list);
  await expectStatus('GET /webhooks', 403, 'forbidden', { token: accessToken });
  await expectStatus('GET /webhooks', 422, 'invalid_request', { path: '/webhooks?limit=0', token: admin });

  const one = 'GET /webhooks/{id}';
  const at = (part = '', token = admin, id = made.id) => ({ path: `/webhooks/${id}${part}`, token });
  await expectStatus(one, 200, null, at());
  await expectStatus(one, 304, null, { ...at(), headers: { 'if-none-match': '"1"' } });
  const stale = { headers: { 'if-match': '"77"' } };
  const put = 'PUT /webhooks/{id}';
  await expectStatus(put, 200, null, { ...at(), body: { description: 'CRM' } });
  const rotate = 'POST /webhooks/{id}/rotate-secret';
  await expectStatus(rotate, 200, null, at('/rotate-secret'));
  const deliveries = 'GET /webhooks/{id}/deliveries';
  await expectStatus(deliveries, 200, null, at('/deliveries'));
  await expectStatus(deliveries, 422, 'invalid_request', at('/deliveries?status=lost'));
  const test = 'POST /webhooks/{id}/test';
  const { body: delivery } = await expectStatus(test, 202, null, at('/test'));
  const redeliver = 'POST /webhooks/{id}/deliveries/{deliveryId}/redeliver';
  const again = `/deliveries/${delivery.id}/redeliver`;
  await expectStatus(redeliver, 202, null, at(again));
  await expectStatus(put, 200, null, { ...at(), body: { enabled: false } });
  for (const [operation, part] of [
    [test, '/test'],
    [redeliver, again],
  ] as const) {
    await expectStatus(operation, 409, 'webhook_disabled', at(part));
  }
  const remove = 'DELETE /webhooks/{id}';
  for (const [operation, part, body] of [
    [one, '', undefined],
    [put, '', {}],
    [remove, '', undefined],
    [rotate, '/rotate-secret', undefined],
    [deliveries, '/deliveries', undefined],
    [test, '/test', undefined],
    [redeliver, again, undefined],
  ] as const) {
    await expectStatus(operation, 403, 'forbidden', { ...at(part, accessToken), body });
    await expectStatus(operation, 404, 'not_found', { ...at(part, admin, NOBODY), body });
    if ([put, remove, rotate].includes(operation)) {
      await expectStatus(operation, 412, 'version_mismatch', { ...at(part), ...stale, body });
    }
  }
  await expectStatus(remove, 204, null, at());
});

test('what is there for anyone', async () => {
  const open = documented.filter(
    ({ method, path, operation }) => method === 'get' && !('security' in operation) && !/^\/$|\{/.test(path),
  );
  for (const each of open) await expectStatus(nameOf(each), 200, null);
});

test('the console and its sessions', async () => {
  await expectStatus('GET /', 302, null, {}, ({ headers }) => expect(headers['location']).toBe('console'));
  const asset = 'GET /console/{asset}';
  for (const name of ['app.js', 'app.css'])
    await expectStatus(asset, 200, null, { path: `/console/${name}` });
  await expectStatus(asset, 404, 'not_found', { path: '/console/other.js' });
  const without = await startService({ CONSOLE: 'off' });
  await expectStatus('GET /console', 404, 'not_found', {}, () => {}, without);
  await without.stop();

  const { accessToken: token, refreshToken } = await register();
  const issue = { method: post, token, body: { refreshToken, returnTo: 'console' } };
  const { code } = (await service.request('/login/code', issue)).body;
  const foreign = { headers: { origin: 'https://evil.example' } };
  const open = 'POST /console/session';
  await expectStatus(open, 400, 'invalid_token', { body: { code: 'x' } });
  await expectStatus(open, 403, 'forbidden', { body: { code }, ...foreign });
  const { headers, body } = await expectStatus(open, 200, null, { body: { code } });
  const refresh = 'POST /console/session/refresh';
  const cookie = headers['set-cookie']?.split(';')[0] ?? '';
  await expectStatus(refresh, 200, null, { headers: { cookie } });
  await expectStatus(refresh, 204, null);
  await expectStatus(refresh, 401, 'invalid_refresh_token', { headers: { cookie: `${cookie}x` } });
  await expectStatus(refresh, 403, 'forbidden', foreign);
  await expectStatus('DELETE /console/session', 204, null, { token: body.accessToken });
});

test('the hosted pages and their files', async () => {
  for (const page of ['sign-in', 'sign-up', 'forgot-password'])
    await expectStatus(`GET /${page}`, 200, null, { path: `/${page}?return_to=x&utm_source=y` });
  for (const page of ['sign-in', 'sign-up', 'forgot-password', 'reset-password', 'verify-email'])
    await expectStatus(`GET /${page}`, 422, 'invalid_request', { path: `/${page}?state=%00` });
  await expectStatus('GET /undo-email-change', 422, 'invalid_request', {
    path: '/undo-email-change?token=%00',
  });
  await expectStatus('GET /export', 200, null, { path: `/export?id=${NOBODY}` });
  await expectStatus('GET /export', 422, 'invalid_request', { path: '/export?id=%00' });
  const asset = 'GET /pages/{asset}';
  for (const name of ['app.js', 'app.css']) await expectStatus(asset, 200, null, { path: `/pages/${name}` });
  await expectStatus(asset, 404, 'not_found', { path: '/pages/other.js' });
});

test('a hosted page hands its session to an app', async () => {
  const { accessToken: token, refreshToken } = await register();
  const body = { refreshToken, returnTo: RETURN_URL };
  const [issue, exchange] = ['POST /login/code', 'POST /login/exchange'];
  await expectStatus(issue, 401, 'invalid_refresh_token', { token, body: { ...body, refreshToken: 'x' } });
  await expectStatus(issue, 403, 'forbidden', { token, body, headers: { origin: 'https://evil.example' } });
  await expectStatus(issue, 422, 'invalid_request', {
    token,
    body: { ...body, returnTo: 'https://x.example' },
  });
  const { code } = (await expectStatus(issue, 201, null, { token, body })).body;
  await expectStatus(exchange, 400, 'invalid_token', { body: { code: 'x', returnTo: RETURN_URL } });
  await expectStatus(exchange, 200, null, { body: { code, returnTo: RETURN_URL } });
});

const strange = { rp: { id: 'localhost' }, rpId: 'localhost', user: { id: 'AAAA' }, challenge: 'AAAA' };
const nobodysAssertion = () => new SoftwareAuthenticator().authenticate(strange, { userHandle: 'AAAA' });
const nobodysCredential = () => new SoftwareAuthenticator().register(strange);

/** What an operation takes without looking anybody up, so that it gets as far as its limits and the database. */
function bodyOf(operationId: string): unknown {
  const bodies: Record<string, unknown> = {
    register: registration(),
    issueCode: { refreshToken: 'x', returnTo: RETURN_URL },
    exchangeCode: { code: 'x', returnTo: RETURN_URL },
    loginFactor: { factorToken: 'x', type: 'totp', code: '123456' },
    loginPasskey: { assertion: nobodysAssertion() },
    loginEmail: { email: 'a@example.com' },
    verifyLoginEmail: { emailToken: 'x', code: '123456' },
    login: { username: 'nobody', password: 'x' },
    refresh: { refreshToken: 'x' },
    openConsoleSession: { code: 'x' },
    refreshConsoleSession: undefined,
    verifyEmail: { token: 'x' },
    forgotPassword: { email: 'a@example.com' },
    resetPassword: { token: 'x', password: 'quite another password' },
    changePassword: { currentPassword: 'x', newPassword: 'quite another password' },
    resendVerification: undefined,
    logout: { all: true, currentPassword: 'x' },
    addTotp: undefined,
    addPasskey: { credential: nobodysCredential() },
    renamePasskey: { name: 'x' },
    confirmTotp: { code: '123456' },
    stepUp: { password: 'x' },
    undo: { token: 'x', password: 'quite another password' },
    updateUser: { email: 'x@example.com', currentPassword: 'x' },
  };
  return Object.entries(bodies).find(([id]) => operationId.startsWith(id))?.[1];
}

test('too many requests are 429, and told when to come back', async () => {
  const limited = await startService({ RATE_LIMITS: 'on', ...TIGHT });
  const person: Person = (await limited.request('/register', { method: post, body: registration() })).body;
  const refused = (operation: string, request: ServiceRequest & { path?: string }) =>
    expectStatus(
      operation,
      429,
      'rate_limited',
      request,
      ({ headers }) => {
        expect(Number(headers['retry-after'])).toBeGreaterThan(0);
      },
      limited,
    );
  try {
    const limitedOnes = documented.filter(({ operation }) => '429' in operation.responses);
    for (const each of limitedOnes) {
      const { operationId } = each.operation;
      const body = bodyOf(operationId);
      const request = {
        method: each.method.toUpperCase(),
        path: each.path.replace('{id}', 'me').replace(/\{(factor|passkey)Id\}/, NOBODY),
        ...(body === undefined ? {} : { body }),
        ...(/resend|password$|logout|step-up|code$|totp|recovery|\{id\}\/passkeys|exports$|\{(id|factorId)\}$/.test(
          each.path,
        ) &&
        each.path !== '/reset-password' &&
        each.path !== '/forgot-password'
          ? { token: person.accessToken }
          : {}),
      };
      // The first may be within the limit; the second is not.
      await limited.request(request.path, request);
      await refused(nameOf(each), request);
    }
  } finally {
    await limited.stop();
  }
});

test('a service that is not configured is 500 everywhere, and says nothing of why', async () => {
  const broken = await startService({}, { JWT_SECRET: 'short' });
  try {
    for (const { method, path } of documented) {
      const operation = nameOf({ method, path });
      await expectStatus(
        operation,
        500,
        'internal_error',
        { path: unknown(path) },
        ({ body }) => {
          expect(JSON.stringify(body)).not.toMatch(/JWT|secret|short/i);
        },
        broken,
      );
    }
  } finally {
    await broken.stop();
  }
});

test('without its database, a service is 503 wherever it needs it, says when to come back, and nothing of why', async () => {
  const url = `postgres://127.0.0.1:${await freePort()}/none` satisfies Config['database']['url'];
  const lost = await startService({}, { DATABASE_URL: url });
  const untold: Check = ({ headers, body }) => {
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    expect(JSON.stringify(body)).not.toMatch(/127\.0\.0\.1|ECONNREFUSED|none/);
  };
  try {
    await expectStatus('GET /health', 503, null, {}, () => {}, lost);
    for (const each of documented) {
      const { method, path, operation } = each;
      if (!('503' in operation.responses) || path === '/health') continue;
      const body = bodyOf(operation.operationId);
      const request = {
        path: unknown(path),
        ...(bearer.includes(each) ? { token: admin } : {}),
        ...(body === undefined ? {} : { body }),
      };
      await expectStatus(nameOf({ method, path }), 503, 'unavailable', request, untold, lost);
    }
  } finally {
    await lost.stop();
  }
});

test('that was every status that the document gives', () => {
  const missing = documented.flatMap((each) =>
    Object.keys(each.operation.responses)
      .filter((status) => !seen.get(nameOf(each))?.has(Number(status)))
      .map((status) => `${nameOf(each)} ${status}`),
  );
  expect(missing).toEqual([]);
});

test('docs/status-codes.md shows what was seen: else run `npm run openapi`', () => {
  expect(readFileSync('docs/status-codes.md', 'utf8')).toBe(statusTable(document));
});
