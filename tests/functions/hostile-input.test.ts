// Input that is well-formed and yet names nothing that could exist or be stored, and input made to cost more than it is.
import { sql } from 'kysely';
import { handler as listRegistrations } from '../../functions/analytics/list-registrations';
import { handler as rebuildAnalytics } from '../../functions/analytics/rebuild-analytics';
import { handler as login } from '../../functions/auth/login';
import { handler as register } from '../../functions/auth/register';
import { handler as deleteDeadLetter } from '../../functions/events/delete-dead-letter';
import { handler as listAudit } from '../../functions/events/list-audit';
import { handler as listDeadLetters } from '../../functions/events/list-dead-letters';
import { handler as listEvents } from '../../functions/events/list-events';
import { handler as redriveDeadLetter } from '../../functions/events/redrive-dead-letter';
import { handler as replayEvents } from '../../functions/events/replay-events';
import { handler as deleteRole } from '../../functions/roles/delete-role';
import { handler as putRole } from '../../functions/roles/put-role';
import { handler as changeRole } from '../../functions/users/change-role';
import { handler as deleteUser } from '../../functions/users/delete-user';
import { handler as getUser } from '../../functions/users/get-user';
import { handler as listSessions } from '../../functions/users/list-sessions';
import { handler as listUsers } from '../../functions/users/list-users';
import { handler as restoreUser } from '../../functions/users/restore-user';
import { handler as revokeSession } from '../../functions/users/revoke-session';
import { handler as suspendUser } from '../../functions/users/suspend-user';
import { handler as updateUser } from '../../functions/users/update-user';
import { handler as createWebhook } from '../../functions/webhooks/create-webhook';
import { handler as deleteWebhook } from '../../functions/webhooks/delete-webhook';
import { handler as getWebhook } from '../../functions/webhooks/get-webhook';
import { handler as listWebhookDeliveries } from '../../functions/webhooks/list-webhook-deliveries';
import { handler as redeliverWebhook } from '../../functions/webhooks/redeliver-webhook';
import { handler as rotateWebhookSecret } from '../../functions/webhooks/rotate-webhook-secret';
import { queueOf } from '../../shared/broker/topology';
import { createContext } from '../../shared/context/context';
import { findReplay } from '../../shared/outbox/replay-store';
import { type TestContext, testContext } from '../setup/context';
import { call } from '../setup/http';
import { fillOutbox, takeReplaySteps } from '../setup/outbox';
import { logInAdmin, type Person, registerPerson, registration } from '../setup/people';

type Handle = Parameters<typeof call<TestContext>>[0];

let ctx: TestContext;
let admin: Person;
let token: string;
beforeAll(async () => {
  ctx = await testContext();
  admin = await logInAdmin(ctx);
  token = admin.accessToken;
});
afterAll(() => ctx.close());

describe('a time that does not exist is refused wherever a time is taken', () => {
  const cursor = (time: string) =>
    Buffer.from(JSON.stringify([time, '01a212e4-8068-7453-bff2-df1484f218d5'])).toString('base64url');
  const queue = () => queueOf(ctx.config.events, 'audit');
  const PLACES: [string, (time: string) => Promise<{ status: number; body: { code: string } }>][] = [
    ['audit from', (from) => call(listAudit, ctx, { query: { from }, token })],
    ['audit to', (to) => call(listAudit, ctx, { query: { to }, token })],
    ['audit cursor', (time) => call(listAudit, ctx, { query: { cursor: cursor(time) }, token })],
    ['events from', (from) => call(listEvents, ctx, { query: { from }, token })],
    ['events to', (to) => call(listEvents, ctx, { query: { to }, token })],
    ['registrations from', (from) => call(listRegistrations, ctx, { query: { from }, token })],
    ['registrations to', (to) => call(listRegistrations, ctx, { query: { to }, token })],
    ['replay from', (from) => post(replayEvents, { queue: queue(), from })],
    ['replay to', (to) => post(replayEvents, { queue: queue(), to })],
    ['rebuild from', (from) => post(rebuildAnalytics, { from })],
    ['rebuild to', (to) => post(rebuildAnalytics, { to })],
  ];
  const post = (handle: Handle, body: unknown) => call(handle, ctx, { method: 'POST', body, token });
  test.each(PLACES)('%s', async (_place, send) => {
    for (const time of [
      '2026-02-30',
      '2023-02-29',
      '2026-11-31T00:00:00Z',
      '2026-02-30T12:00:00+02:00',
      '0000-01-01',
      '0000-12-31T23:59:59Z',
      '0001-01-01T00:00:00+14:00',
      '9999-12-31T23:59:59-14:00',
      '2026-11-25T10:00:00+23:59',
      '2026-11-25T10:00:00-16:00',
      '2026-11-25T24:00:00Z',
      '2026-11-25T23:59:60Z',
      '+10000-01-01T00:00:00Z',
      '-000001-01-01T00:00:00Z',
    ]) {
      const { status, body } = await send(time);
      expect([time, status, body.code]).toEqual([time, 422, 'invalid_request']);
    }
  });

  test('and one that does is taken, however early or late', async () => {
    for (const from of ['0001-01-01', '2024-02-29', '2026-11-25T10:00:00.123456789+14:00']) {
      expect((await call(listAudit, ctx, { query: { from }, token })).status).toBe(200);
      expect((await call(listAudit, ctx, { query: { to: from }, token })).status).toBe(200);
      expect((await post(replayEvents, { queue: queue(), from, to: from })).status).toBe(202);
      const report = await call(listRegistrations, ctx, { query: { to: from }, token });
      expect(report.status).toBe(200);
    }
  });
});

test('a day begins in UTC, whatever time zone the database sessions are in', async () => {
  const [subject = ''] = await fillOutbox(ctx, 1);
  await sql`update events set time = '2026-10-31T23:30:00Z' where subject = ${subject}`.execute(ctx.db);
  await ctx.db.deleteFrom('dispatch').where('subject', '=', subject).execute();
  const url = new URL(ctx.config.database.url);
  url.searchParams.set('options', '-c TimeZone=Pacific/Auckland');
  const { db } = createContext(
    { ...ctx.config, database: { ...ctx.config.database, url: url.href } },
    ctx.log,
  );
  const replay = async (range: object) => {
    const body = { queue: queueOf(ctx.config.events, 'audit'), subject, ...range };
    const { id } = (await call(replayEvents, { ...ctx, db }, { method: 'POST', body, token })).body;
    await takeReplaySteps({ ...ctx, db });
    return (await findReplay(db, id))?.dispatched;
  };
  expect(await replay({ from: '2026-11-01' })).toBe(0);
  expect(await replay({ from: '2026-10-31', to: '2026-11-01' })).toBe(1);
  await db.destroy();
});

const PATHS: [string, string, Handle, string[]][] = [
  ['GET /users/{id}', 'GET', getUser, ['id']],
  ['DELETE /users/{id}', 'DELETE', deleteUser, ['id']],
  ['DELETE /users/{id}/suspension', 'DELETE', restoreUser, ['id']],
  ['GET /users/{id}/sessions', 'GET', listSessions, ['id']],
  ['DELETE /users/{id}/sessions/{sessionId}', 'DELETE', revokeSession, ['id', 'sessionId']],
  ['DELETE /roles/{name}', 'DELETE', deleteRole, ['name']],
  ['DELETE /dead-letters/{id}', 'DELETE', deleteDeadLetter, ['id']],
  ['POST /dead-letters/{id}/redrive', 'POST', redriveDeadLetter, ['id']],
  ['GET /webhooks/{id}', 'GET', getWebhook, ['id']],
  ['DELETE /webhooks/{id}', 'DELETE', deleteWebhook, ['id']],
  ['POST /webhooks/{id}/rotate-secret', 'POST', rotateWebhookSecret, ['id']],
  ['GET /webhooks/{id}/deliveries', 'GET', listWebhookDeliveries, ['id']],
  ['POST …/redeliver', 'POST', redeliverWebhook, ['id', 'deliveryId']],
];

describe('a name in a path that nothing can have is 404', () => {
  test.each(PATHS)('%s', async (_route, method, handle, names) => {
    for (const value of ['\0', 'a\0b', '\ud800', `${admin.user.id}\0`, 'x'.repeat(8_000), ''])
      for (const name of names) {
        const params = { ...Object.fromEntries(names.map((each) => [each, 'me'])), [name]: value };
        const reply = await call(handle, ctx, { method, params, token });
        expect([JSON.stringify(value), reply.status]).toEqual([JSON.stringify(value), 404]);
      }
  });

  test('where a body decides first, it is 422 for a name that cannot be one', async () => {
    const body = { permissions: [] };
    const reply = await call(putRole, ctx, { method: 'PUT', params: { name: 'a\0' }, body, token });
    expect(reply.body).toMatchObject({ code: 'invalid_request', errors: [{ path: 'name' }] });
    const change = { method: 'PUT', params: { id: '\0' }, body: { role: 'user' }, token };
    expect((await call(changeRole, ctx, change)).status).toBe(404);
    expect((await call(suspendUser, ctx, { ...change, body: {} })).status).toBe(404);
  });

  test('in a query it is 422', async () => {
    for (const [handle, query] of [
      [listUsers, { q: 'a\0' }],
      [listUsers, { role: '\ud800' }],
      [listAudit, { type: '\0' }],
      [listDeadLetters, { queue: '\0' }],
    ] as const)
      expect((await call(handle, ctx, { query, token })).status).toBe(422);
  });
});

describe('an answer is no larger for an error than for anything else', () => {
  const MAX_ANSWER = 32 * 1024;
  const long = 'k'.repeat(30_000);
  const BODIES: [string, string, number][] = [
    [
      'a long name around thousands of faults',
      `{"${long}":[${Array(3_600).fill('"\\u0000"').join(',')}]}`,
      50,
    ],
    ['a long name at each depth', `{"${long}":{"${long}":"\\u0000"}}`, 1],
    ['thousands of unknown fields', `{${Array.from({ length: 5_000 }, (_, i) => `"${i}":1`).join(',')}}`, 50],
    ['one long unknown field', `{"${'k'.repeat(60_000)}":1}`, 4],
    [
      'thousands of unstorable names',
      `{${Array.from({ length: 4_000 }, (_, i) => `"\\u0000${i}":1`).join(',')}}`,
      50,
    ],
  ];
  test.each(BODIES)('%s', async (_what, body, errors) => {
    const reply = await call(register, ctx, { method: 'POST', body });
    expect([reply.status, reply.body.code]).toEqual([422, 'invalid_request']);
    expect(reply.body.errors).toHaveLength(errors);
    for (const { path, message } of reply.body.errors) {
      expect(path.length).toBeLessThanOrEqual(200);
      expect(message.length).toBeLessThanOrEqual(500);
    }
    expect(JSON.stringify(reply.body).length).toBeLessThan(MAX_ANSWER);
  });

  test('thousands of elements of a list that are wrong', async () => {
    const list = Array(8_000).fill('x');
    for (const reply of [
      await call(putRole, ctx, { method: 'PUT', params: { name: 'a' }, body: { permissions: list }, token }),
      await call(createWebhook, ctx, {
        method: 'POST',
        body: { url: 'https://a.example/', eventTypes: list },
        token,
      }),
      await call(replayEvents, ctx, { method: 'POST', body: { queue: 'x', types: list }, token }),
    ]) {
      expect(reply.body.errors).toHaveLength(50);
      expect(JSON.stringify(reply.body).length).toBeLessThan(MAX_ANSWER);
    }
  });

  test('a long path is cut in the log too', async () => {
    ctx.logged.length = 0;
    await call(login, ctx, { method: 'POST', path: `/${'p'.repeat(9_000)}`, body: '{' });
    expect(String(ctx.logged.at(-1)?.['path']).length).toBeLessThanOrEqual(201);
  });
});

describe('numbers are stored as they were sent, or refused', () => {
  const save = async (metadata: string) => {
    const { username, email, password } = registration();
    const body = `{"username":"${username}","email":"${email}","password":"${password}","metadata":${metadata}}`;
    return call(register, ctx, { method: 'POST', body });
  };
  test.each([
    '9007199254740992',
    '9007199254740993',
    '-9007199254740993',
    '12345678901234567890',
    '1e308',
    '-1E+100',
    '1e400',
    '1e-323',
    '1e-60',
  ])('%s is refused', async (number) => {
    const reply = await save(`{"deep":[{"n":${number}}]}`);
    expect([reply.status, reply.body.errors?.[0]?.path]).toEqual([422, 'metadata.deep.0.n']);
  });

  test.each([
    '9007199254740991',
    '-9007199254740991',
    '1e15',
    '0',
    '1.5',
    '-0.1',
    '5.551115123125783e-17',
    '1e-20',
  ])('%s comes back', async (number) => {
    const reply = await save(`{"n":${number}}`);
    expect([reply.status, reply.body.user?.metadata]).toEqual([201, { n: Number(number) }]);
    const stored = await call(getUser, ctx, { params: { id: reply.body.user.id }, token });
    expect(stored.body.metadata).toEqual({ n: Number(number) });
  });

  test('metadata is measured as the database writes it', async () => {
    const numbers = (count: number) => `{"n":[${Array(count).fill('1e-20').join(',')}]}`;
    expect((await save(numbers(600))).body.errors).toEqual([
      { path: 'metadata', message: 'must be a JSON object of at most 4 KiB' },
    ]);
    const { body, status } = await save(numbers(150));
    expect(status).toBe(201);
    const { rows } = await sql<{ bytes: number }>`
      select octet_length(metadata::text) as bytes from users where id = ${body.user.id}`.execute(ctx.db);
    expect(rows[0]?.bytes).toBeLessThanOrEqual(4 * 1024);
  });
});

test('names that mean something to JavaScript are fields like any other, and unknown', async () => {
  for (const name of ['__proto__', 'constructor', 'prototype']) {
    const body = JSON.stringify(registration()).replace('{', `{"${name}":{"role":"admin"},`);
    const reply = await call(register, ctx, { method: 'POST', body });
    expect([name, reply.status, reply.body.errors?.[0]?.path]).toEqual([name, 422, name]);
  }
  const person = await registerPerson(ctx);
  const body = '{"metadata":{"a":{"__proto__":{"admin":true}}}}';
  const reply = await call(updateUser, ctx, {
    method: 'PUT',
    params: { id: 'me' },
    body,
    token: person.accessToken,
  });
  expect([reply.status, reply.body.errors?.[0]?.path]).toEqual([422, 'metadata.a.__proto__']);
});
