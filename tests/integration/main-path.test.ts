// Over HTTP, through serverless-offline: a registration, and its event's way to the consumer.
import { openClient, Received } from '../setup/broker';
import { PASSWORD, registration } from '../setup/people';
import { eventually, type Service, startService } from '../setup/service';

let service: Service;
let client: Awaited<ReturnType<typeof openClient>>;
let received: Received;
const exchange = `rollcall-test-${process.pid}-main.user_events`;
beforeAll(async () => {
  client = await openClient();
  received = await Received.bound(client.channel, exchange);
  const mirrors = [{ format: 'envelope', exchange: '', queue: `${exchange}-copies` }];
  service = await startService({ EVENT_EXCHANGE: exchange, EVENT_MIRRORS: JSON.stringify(mirrors) });
});
afterAll(async () => {
  await service.stop();
  await client.model.close();
});

const register = (body: unknown, path = '/register') => service.request(path, { method: 'POST', body });
const auditOf = (subject: string) =>
  service.request(`/audit?subject=${subject}`, { token: service.adminToken });

test('register, log in, read oneself; the event is handled, and shows in the audit and the event log', async () => {
  const body = registration();
  const registered = await register(body);
  expect(registered.status).toBe(201);
  const { user } = registered.body;
  expect(registered.headers).toMatchObject({
    location: `/users/${user.id}`,
    etag: '"1"',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-request-id': expect.any(String),
  });

  const login = await service.request('/login', {
    method: 'POST',
    body: { email: body.email, password: PASSWORD },
  });
  expect(login.status).toBe(200);
  for (const [path, body] of [
    ['/users/me', { ...user, permissions: [] }],
    [`/users/${user.id}`, user],
  ]) {
    const answer = await service.request(path, { token: login.body.accessToken });
    expect([answer.status, answer.body]).toEqual([200, body]);
  }
  const cached = await service.request('/users/me', {
    token: login.body.accessToken,
    headers: { 'if-none-match': '"1"' },
  });
  expect(cached.status).toBe(304);

  const audit = await eventually(
    () => auditOf(user.id),
    (answer) => answer.body.entries.length === 2,
  );
  expect(audit.body.entries.map((entry: { type: string }) => entry.type)).toEqual([
    'session.created',
    'user.created',
  ]);
  expect(audit.body.entries[1]).toMatchObject({
    actor: user.id,
    requestId: registered.headers['x-request-id'],
    address: '127.0.0.1',
  });
  const log = await service.request(`/events?subject=${user.id}`, { token: service.adminToken });
  expect(log.body.events).toHaveLength(2);
  for (const event of log.body.events) {
    expect(event).toMatchObject({ status: 'published', handledAt: { audit: expect.any(String) } });
  }
});

test("another program that listens on the exchange gets the event, with the caller's trace", async () => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const registered = await service.request('/register', {
    method: 'POST',
    body: registration(),
    headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
  });
  const { id } = registered.body.user;
  const ofUser = () => received.bodies().filter((event) => event['subject'] === id);
  while (ofUser().length === 0) await received.atLeast(received.messages.length + 1);
  expect(ofUser()).toEqual([
    expect.objectContaining({
      type: 'user.created',
      sequence: '0000000001',
      traceparent: expect.stringMatching(`^00-${traceId}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`),
    }),
  ]);
});

test.each(['/users', '/auth/register', '/auth/signup', '/api/users/register', '/api/users/register/'])(
  'registers at %s too',
  async (path) => {
    expect((await register(registration(), path)).status).toBe(201);
  },
);

test('logs in at /auth/login too', async () => {
  const body = registration();
  await register(body);
  const answer = await service.request('/auth/login', {
    method: 'POST',
    body: { username: body.username, password: PASSWORD },
  });
  expect(answer.status).toBe(200);
});

test('fifty at once with one username: one 201, 49 times 409, one event', async () => {
  const { username } = registration();
  const answers = await Promise.all(Array.from({ length: 50 }, () => register(registration({ username }))));
  expect(answers.map((answer) => answer.status).sort()).toEqual([201, ...Array(49).fill(409)]);
  const id = answers.find((answer) => answer.status === 201)?.body.user.id;
  const log = await service.request(`/events?subject=${id}`, { token: service.adminToken });
  expect(log.body.events).toHaveLength(1);
});

test.each<[string, string, Parameters<Service['request']>[1], number, string]>([
  ['no JSON', '/register', { method: 'POST', body: '{' }, 400, 'invalid_json'],
  [
    'an unknown field',
    '/register',
    { method: 'POST', body: { ...registration(), x: 1 } },
    422,
    'invalid_request',
  ],
  [
    'no JSON type',
    '/register',
    { method: 'POST', body: 'a=b', headers: { 'content-type': 'text/plain' } },
    415,
    'unsupported_media_type',
  ],
  [
    'a large body',
    '/register',
    { method: 'POST', body: { username: 'x'.repeat(66_000) } },
    413,
    'payload_too_large',
  ],
  ['no token', '/users/me', {}, 401, 'unauthorized'],
  ['a bad token', '/users/me', { token: 'x' }, 401, 'unauthorized'],
  ['an unknown route', '/nowhere', {}, 404, 'not_found'],
  ['an unknown method', '/login', { method: 'DELETE' }, 404, 'not_found'],
])('%s is a problem with a code', async (_name, path, request, status, code) => {
  const answer = await service.request(path, request);
  expect([answer.status, answer.body.code]).toEqual([status, code]);
  expect(answer.headers['content-type']).toContain('application/problem+json');
  expect(answer.body.requestId).toBe(answer.headers['x-request-id']);
});

test('a registration reaches a consumer that was written for another service, and is counted', async () => {
  const copies = await Received.from(client.channel, `${exchange}-copies`);
  const { user } = (await register(registration())).body;
  const isTheirs = (copy: Record<string, unknown>) => JSON.stringify(copy).includes(user.id);
  const [copy] = await eventually(
    async () => copies.bodies().filter(isTheirs),
    ({ length }) => length > 0,
  );
  expect(copy).toEqual({
    event: 'user.registered',
    data: { id: user.id, email: user.email, username: user.username, createdAt: user.createdAt },
    timestamp: expect.any(String),
  });
  const counted = await eventually(
    () => service.request(`/events?subject=${user.id}`, { token: service.adminToken }),
    ({ body }) => 'analytics' in body.events[0].handledAt,
  );
  expect(counted.status).toBe(200);
  const report = await service.request('/analytics/registrations?interval=hour', {
    token: service.adminToken,
  });
  expect(report.body.totals.registrations).toBeGreaterThanOrEqual(1);
});

test('reports its health', async () => {
  const works = { problem: null };
  const answer = await service.request('/health');
  expect([answer.status, answer.body]).toMatchObject([
    200,
    { relay: works, poller: works, status: 'ok', database: 'up', broker: 'up' },
  ]);
});

test.each([
  ['/docs', 'text/html', '<openapi-explorer'],
  // Compressed on the way: what arrives is the script.
  ['/docs/openapi-explorer.js', 'text/javascript', 'customElements'],
  ['/openapi.json', 'application/json', '"/register"'],
  ['/asyncapi.json', 'application/json', '"user.created"'],
])('serves %s', async (path, type, part) => {
  const { status, headers, body } = await service.request(path);
  expect([status, headers['content-type']]).toEqual([200, expect.stringContaining(type)]);
  expect(typeof body === 'string' ? body : JSON.stringify(body)).toContain(part);
});
