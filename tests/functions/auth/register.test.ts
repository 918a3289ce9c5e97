import type { ChannelModel, ConfirmChannel } from 'amqplib';
import { handler as register } from '../../../functions/auth/register';
import { openClient, Received } from '../../setup/broker';
import { type TestContext, testContext } from '../../setup/context';
import { call } from '../../setup/http';
import { httpEvent, readResult } from '../../setup/http-event';
import { outcomesOf } from '../../setup/outbox';
import { logInAdmin, PASSWORD, registerPerson, registration } from '../../setup/people';

let ctx: TestContext;
let client: { model: ChannelModel; channel: ConfirmChannel };
let received: Received;

beforeAll(async () => {
  ctx = await testContext();
  client = await openClient();
  received = await Received.bound(client.channel, ctx.config.events.exchange);
});
afterAll(async () => {
  await client.model.close();
  await ctx.close();
});

const post = (body: unknown, more = {}) =>
  call(register, ctx, { method: 'POST', path: '/register', body, ...more });

test('creates the user and logs them in', async () => {
  const { status, headers, body } = await post({
    username: 'Gorden',
    email: 'Gorden@example.com',
    password: PASSWORD,
    displayName: 'Gorden F.',
    metadata: { plan: 'free' },
  });
  expect(status).toBe(201);
  expect(headers).toMatchObject({
    location: `/users/${body.user.id}`,
    etag: '"1"',
    'cache-control': 'no-store',
    'content-type': 'application/json',
  });
  const now = ctx.clock.now.toISOString();
  expect(body).toEqual({
    user: {
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      username: 'Gorden',
      email: 'Gorden@example.com',
      emailVerified: false,
      pendingEmail: null,
      suspension: null,
      displayName: 'Gorden F.',
      metadata: { plan: 'free' },
      role: 'user',
      createdAt: now,
      updatedAt: now,
      version: 1,
    },
    accessToken: expect.any(String),
    refreshToken: expect.stringMatching(/^[\w-]{43}$/),
    tokenType: 'Bearer',
    expiresIn: 900,
  });
});

test('publishes user.created as EVENTS.md gives it, and nothing secret', async () => {
  const before = received.messages.length;
  const { user } = await registerPerson(ctx);
  await received.atLeast(before + 1);
  const message = received.messages[before];
  const event = received.bodies()[before];
  expect(event).toEqual({
    specversion: '1.0',
    id: expect.any(String),
    source: 'rollcall',
    type: 'user.created',
    subject: user.id,
    time: ctx.clock.now.toISOString(),
    datacontenttype: 'application/json',
    sequence: '0000000001',
    traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
    data: {
      id: user.id,
      username: user.username,
      email: user.email,
      role: 'user',
      createdAt: user.createdAt,
    },
  });
  expect(message?.fields).toMatchObject({ exchange: ctx.config.events.exchange, routingKey: 'user.created' });
  expect(message?.properties).toMatchObject({
    deliveryMode: 2,
    contentType: 'application/cloudevents+json',
    messageId: event?.['id'],
    type: 'user.created',
    appId: 'rollcall',
    timestamp: Math.floor(ctx.clock.now.getTime() / 1000),
    headers: { traceparent: event?.['traceparent'] },
  });
});

test('marks a confirmed event published', async () => {
  const { user } = await registerPerson(ctx);
  const row = await ctx.db
    .selectFrom('events')
    .selectAll()
    .where('subject', '=', user.id)
    .executeTakeFirstOrThrow();
  expect(row).toMatchObject({ actor_id: user.id, address: '192.0.2.1', user_agent: 'tests' });
  expect(await outcomesOf(ctx, user.id)).toMatchObject([{ published_at: expect.any(Date), attempts: 1 }]);
});

test('stores a bcrypt hash and a hash of the refresh token, never the secrets themselves', async () => {
  const { user, refreshToken } = await registerPerson(ctx);
  const row = await ctx.db
    .selectFrom('passwords')
    .selectAll()
    .where('user_id', '=', user.id)
    .executeTakeFirstOrThrow();
  expect(row.hash).toMatch(/^\$2[aby]\$04\$/);
  const tokens = await ctx.db.selectFrom('refresh_tokens').selectAll().execute();
  expect(tokens.some((token) => token.hash.equals(Buffer.from(refreshToken)))).toBe(false);
  expect(JSON.stringify(ctx.logged)).not.toContain(PASSWORD);
  expect(JSON.stringify(ctx.logged)).not.toContain(user.email);
});

describe('a taken name', () => {
  test('is refused without regard to case', async () => {
    const { user } = await registerPerson(ctx);
    const sameName = await post(registration({ username: user.username.toUpperCase() }));
    expect([sameName.status, sameName.body.code]).toEqual([409, 'username_taken']);
    const sameEmail = await post(registration({ email: user.email?.toUpperCase() }));
    expect([sameEmail.status, sameEmail.body.code]).toEqual([409, 'email_taken']);
  });

  test('is decided once when fifty arrive at the same moment', async () => {
    const { username } = registration();
    const replies = await Promise.all(Array.from({ length: 50 }, () => post(registration({ username }))));
    const statuses = replies.map((reply) => reply.status).sort();
    expect(statuses).toEqual([201, ...Array(49).fill(409)]);
    const winner = replies.find((reply) => reply.status === 201);
    const events = await ctx.db
      .selectFrom('events')
      .selectAll()
      .where('subject', '=', winner?.body.user.id)
      .execute();
    expect(events).toHaveLength(1);
  });
});

describe('a body that is not valid', () => {
  const countUsers = () =>
    ctx.db
      .selectFrom('users')
      .select((eb) => eb.fn.countAll().as('n'))
      .executeTakeFirst();

  test.each([
    ['no JSON', '{"username":', {}, 400, 'invalid_json'],
    ['another content type', '{}', { 'content-type': 'text/plain' }, 415, 'unsupported_media_type'],
    ['no content type', '{}', { 'content-type': '' }, 415, 'unsupported_media_type'],
    ['too large', JSON.stringify({ username: 'x'.repeat(65 * 1024) }), {}, 413, 'payload_too_large'],
    ['no object', '[]', {}, 422, 'invalid_request'],
    ['nested without end', '['.repeat(30_000) + ']'.repeat(30_000), {}, 422, 'invalid_request'],
    ['a NUL', JSON.stringify(registration({ displayName: 'a\0b' })), {}, 422, 'invalid_request'],
    [
      'a lone surrogate',
      JSON.stringify(registration({ metadata: { a: '\ud800' } })),
      {},
      422,
      'invalid_request',
    ],
  ])('%s', async (_name, body, headers, status, code) => {
    const before = await countUsers();
    const answer = await post(body, { headers });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(answer.body).toMatchObject({
      type: `urn:rollcall:error:${code}`,
      status,
      requestId: expect.any(String),
    });
    expect(await countUsers()).toEqual(before);
  });

  test.each([
    ['username', 'ab'],
    ['username', 'a'.repeat(33)],
    ['username', 'gord\u0435n'],
    ['username', 'two words'],
    ['username', 12345],
    ['email', 'nobody'],
    ['email', `${'a'.repeat(250)}@example.com`],
    ['email', 'a..b@example.com'],
    ['email', null],
    ['password', 'short'],
    ['password', 'ä'.repeat(37)],
    ['displayName', ''],
    ['displayName', '\u{1F600}'.repeat(201)],
    ['metadata', []],
    ['metadata', { big: 'x'.repeat(4096) }],
    ['role', 'admin'],
    ['emailVerified', true],
    ['id', '0199'],
    ['__proto__x', 1],
  ])('names the field %s (%#)', async (field, value) => {
    const answer = await post(registration({ [field]: value }));
    expect([answer.status, answer.body.code]).toEqual([422, 'invalid_request']);
    expect(answer.body.errors).toEqual([{ path: field, message: expect.any(String) }]);
  });

  test('reports every problem at once', async () => {
    const answer = await post({ username: 'x', password: 'short', a: 1, b: 2 });
    const paths = answer.body.errors.map((error: { path: string }) => error.path).sort();
    expect(paths).toEqual(['a', 'b', 'email', 'password', 'username']);
  });

  test('refuses a password that is the username or the email address', async () => {
    const names = registration({ username: 'Longenough1' });
    for (const password of ['longenough1', names.email.toUpperCase()]) {
      const answer = await post({ ...names, password });
      expect(answer.body.errors).toEqual([
        { path: 'password', message: expect.stringContaining('username') },
      ]);
    }
  });
});

test('counts characters, as the document does: an emoji is one', async () => {
  const displayName = '\u{1F600}'.repeat(200);
  expect((await registerPerson(ctx, { displayName })).user.displayName).toBe(displayName);
});

test('takes the spaces off that a keyboard adds to a name', async () => {
  const body = registration();
  const answer = await post({ ...body, username: `${body.username} `, email: ` ${body.email}\n` });
  expect(answer.body.user).toMatchObject({ username: body.username, email: body.email });
});

test('an international address is one, however it is written, and is read as it was typed', async () => {
  const { username } = registration();
  const email = `${username}@bücher.example`;
  const { user } = await registerPerson(ctx, { username, email });
  expect(user.email).toBe(email);
  const row = await ctx.db
    .selectFrom('users')
    .select('email')
    .where('id', '=', user.id)
    .executeTakeFirstOrThrow();
  expect(row.email).toBe(`${username}@xn--bcher-kva.example`);
  for (const other of [row.email, `${username}@BÜCHER.example`, `${username}@bu\u0308cher.example`]) {
    const again = await post(registration({ email: other }));
    expect([again.status, again.body.code]).toEqual([409, 'email_taken']);
  }
});

describe('a base64 body', () => {
  const postBytes = (bytes: Buffer) => {
    const event = httpEvent({ method: 'POST', body: '' });
    return register.in(() => ctx)({ ...event, body: bytes.toString('base64'), isBase64Encoded: true });
  };

  test('is decoded first', async () => {
    const answer = await postBytes(Buffer.from(JSON.stringify(registration())));
    expect(answer.statusCode).toBe(201);
  });

  test('that is no UTF-8 is no JSON', async () => {
    const answer = await postBytes(Buffer.from([0x22, 0xff, 0x22]));
    expect([answer.statusCode, readResult(answer).body.code]).toEqual([400, 'invalid_json']);
  });
});

describe('with a role', () => {
  test('an admin makes another admin, who can act as one', async () => {
    const admin = await logInAdmin(ctx);
    const made = await post(registration({ role: 'admin' }), { token: admin.accessToken });
    expect([made.status, made.body.user.role]).toEqual([201, 'admin']);
    const event = await ctx.db
      .selectFrom('events')
      .selectAll()
      .where('subject', '=', made.body.user.id)
      .executeTakeFirst();
    expect(event?.actor_id).toBe(admin.user.id);
  });

  test('a user without roles:write may not', async () => {
    const { accessToken } = await registerPerson(ctx);
    const answer = await post(registration({ role: 'admin' }), { token: accessToken });
    expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
  });

  test('an unknown role is a wrong field', async () => {
    const { accessToken } = await logInAdmin(ctx);
    const answer = await post(registration({ role: 'wizard' }), { token: accessToken });
    expect(answer.body.errors).toEqual([{ path: 'role', message: 'is not a known role' }]);
  });

  test('a token that is not valid is refused, not ignored', async () => {
    const answer = await post(registration(), { token: 'nonsense' });
    expect([answer.status, answer.body.code]).toEqual([401, 'unauthorized']);
    expect(answer.headers['www-authenticate']).toBe('Bearer error="invalid_token"');
  });
});

test('without REQUIRE_EMAIL, the address may be left out and is null', async () => {
  const optional = { ...ctx, config: { ...ctx.config, users: { ...ctx.config.users, requireEmail: false } } };
  const { email: _left, ...body } = registration();
  const answer = await call(register, optional, { method: 'POST', body });
  expect([answer.status, answer.body.user.email]).toEqual([201, null]);
});
