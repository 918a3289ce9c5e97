import { randomUUID } from 'node:crypto';
import { handler as register } from '../../../functions/auth/register';
import { handler as getMe } from '../../../functions/users/get-me';
import { hashPassword } from '../../../shared/passwords/hash';
import { claimKey } from '../../../shared/registration/idempotency-store';
import { newKeyClaim } from '../../../shared/registration/replay-registration';
import { type TestContext, testContext } from '../../setup/context';
import { untilLockIsAwaited } from '../../setup/database';
import { eventsOf } from '../../setup/events';
import { call } from '../../setup/http';
import { logInAdmin, PASSWORD, registration } from '../../setup/people';

const HOUR_MS = 60 * 60 * 1000;

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext();
});
afterAll(() => ctx.close());

const post = (key: string, body: unknown, token?: string) =>
  call(register, ctx, {
    method: 'POST',
    path: '/register',
    body,
    headers: { 'idempotency-key': key },
    ...(token !== undefined && { token }),
  });

const later = (ms: number) => {
  ctx.clock.now = new Date(ctx.clock.now.getTime() + ms);
};

const keys = () => ctx.db.selectFrom('idempotency_keys').selectAll().execute();

test('the same key and body make one user, whose retry gets a session of its own', async () => {
  const [key, body] = [randomUUID(), registration({ metadata: { plan: 'free' } })];
  const first = await post(key, body);
  const again = await post(key, body);

  expect([first.status, again.status]).toEqual([201, 201]);
  expect(first.headers).not.toHaveProperty('idempotent-replayed');
  expect(again.headers).toMatchObject({
    'idempotent-replayed': 'true',
    location: `/users/${first.body.user.id}`,
    etag: '"1"',
    'cache-control': 'no-store',
  });
  expect(again.body).toEqual({
    ...first.body,
    accessToken: expect.any(String),
    refreshToken: expect.any(String),
  });
  expect(again.body.refreshToken).not.toBe(first.body.refreshToken);
  for (const { body } of [first, again]) {
    expect((await call(getMe, ctx, { token: body.accessToken })).status).toBe(200);
  }
  expect(await eventsOf(ctx, first.body.user.id)).toEqual(['user.created', 'session.created']);
});

test('the answer is the user as they are today, renamed or not', async () => {
  const [key, body] = [randomUUID(), registration()];
  const { user } = (await post(key, body)).body;
  const username = `${user.username}_2`;
  await ctx.db.updateTable('users').set({ username, version: 2 }).where('id', '=', user.id).execute();
  const again = await post(key, body);
  expect([again.status, again.headers['etag']]).toEqual([201, '"2"']);
  expect(again.body.user).toEqual({ ...user, username, version: 2 });
});

test.each([
  ['name', { displayName: 'Another' }],
  ['password', { password: 'another fine password' }],
  ['metadata', { metadata: { plan: 'paid' } }],
])('the same key with another %s is refused and makes nobody', async (_name, difference) => {
  const [key, body] = [randomUUID(), registration()];
  const { user } = (await post(key, body)).body;
  const answer = await post(key, { ...body, ...difference });
  expect([answer.status, answer.body.code]).toEqual([422, 'idempotency_key_reused']);
  expect(answer.headers['content-type']).toBe('application/problem+json');
  expect(await eventsOf(ctx, user.id)).toEqual(['user.created']);
  const other = await post(key, registration());
  expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused']);
});

test('ten at the same moment make one user', async () => {
  const [key, body] = [randomUUID(), registration()];
  const replies = await Promise.all(Array.from({ length: 10 }, () => post(key, body)));
  expect(replies.map((reply) => reply.status)).toEqual(Array(10).fill(201));
  expect(replies.filter((reply) => !reply.headers['idempotent-replayed'])).toHaveLength(1);
  const ids = new Set(replies.map((reply) => reply.body.user.id));
  expect(ids.size).toBe(1);
  const [id] = ids;
  expect((await eventsOf(ctx, id)).filter((type) => type === 'user.created')).toHaveLength(1);
  expect(new Set(replies.map((reply) => reply.body.refreshToken)).size).toBe(10);
});

test('two bodies at the same moment: one is registered, the other is told', async () => {
  const key = randomUUID();
  const replies = await Promise.all([post(key, registration()), post(key, registration())]);
  expect(replies.map((reply) => reply.status).sort()).toEqual([201, 422]);
});

test('the second waits for the first, and registers where that one fails', async () => {
  const [key, body] = [randomUUID(), registration()];
  let second: ReturnType<typeof post> | undefined;
  const failed = ctx.db.transaction().execute(async (tx) => {
    // The first, as far as it gets before its container dies.
    await claimKey(
      tx,
      newKeyClaim(ctx, key, { ...body, displayName: null, metadata: {}, role: 'user' }, null),
    );
    second = post(key, body);
    await untilLockIsAwaited(ctx);
    throw new Error('The container died');
  });
  await expect(failed).rejects.toThrow('The container died');
  const answer = await second;
  expect([answer?.status, answer?.headers['idempotent-replayed']]).toEqual([201, undefined]);
});

test('a registration that failed leaves the key free', async () => {
  const key = randomUUID();
  const taken = registration();
  await post(randomUUID(), taken);
  const body = registration({ username: taken.username });
  const refused = await post(key, body);
  expect([refused.status, refused.body.code]).toEqual([409, 'username_taken']);
  const corrected = await post(key, { ...body, username: registration().username });
  expect(corrected.status).toBe(201);
  expect(corrected.headers).not.toHaveProperty('idempotent-replayed');
});

test('it is kept for 24 hours, then the key is free and the old one is purged by whoever comes next', async () => {
  const [key, body] = [randomUUID(), registration()];
  const { user } = (await post(key, body)).body;
  later(24 * HOUR_MS - 1);
  expect((await post(key, body)).body.user.id).toBe(user.id);

  later(1);
  const refused = await post(key, body);
  expect([refused.status, refused.body.code]).toEqual([409, 'username_taken']);
  const fresh = await post(key, registration());
  expect([fresh.status, fresh.headers['idempotent-replayed']]).toEqual([201, undefined]);

  later(25 * HOUR_MS);
  for (let count = 0; count < 3; count += 1) await post(randomUUID(), registration());
  const expired = (await keys()).filter((row) => row.expires_at <= ctx.clock.now);
  expect(expired).toEqual([]);
});

test('a user who has been deleted is not brought back by a late retry', async () => {
  const [key, body] = [randomUUID(), registration()];
  const { user } = (await post(key, body)).body;
  await ctx.db.deleteFrom('users').where('id', '=', user.id).execute();
  const answer = await post(key, body);
  expect([answer.status, answer.body.code]).toEqual([422, 'idempotency_key_reused']);
  expect(answer.body.detail).toContain('deleted');
});

test('a password that has been changed since is not valid again', async () => {
  const [key, body] = [randomUUID(), registration()];
  const { user } = (await post(key, body)).body;
  const { hash } = await hashPassword('a newer fine password', ctx.config.passwords);
  await ctx.db.updateTable('passwords').set({ hash }).where('user_id', '=', user.id).execute();
  const answer = await post(key, body);
  expect([answer.status, answer.body.code]).toEqual([422, 'idempotency_key_reused']);
});

test('a key belongs to its caller', async () => {
  const key = randomUUID();
  const [one, two] = [await logInAdmin(ctx), await logInAdmin(ctx)];
  const statuses = [
    await post(key, registration(), one.accessToken),
    await post(key, registration(), two.accessToken),
    await post(key, registration()),
  ].map((reply) => [reply.status, reply.headers['idempotent-replayed']]);
  expect(statuses).toEqual(Array(3).fill([201, undefined]));
});

test.each([
  ['', 422],
  ['k'.repeat(255), 201],
  ['\u{1F511}'.repeat(255), 201],
  ['k'.repeat(256), 422],
])('a key has 1 to 255 characters (%#)', async (key, status) => {
  const answer = await post(key, registration());
  expect(answer.status).toBe(status);
  if (status === 201) return;
  expect(answer.body).toMatchObject({
    code: 'invalid_request',
    errors: [{ path: 'idempotency-key', message: expect.any(String) }],
  });
});

test('nothing of what was sent can be read in the table', async () => {
  const [key, body] = [randomUUID(), registration()];
  await post(key, body);
  const stored = (await keys()).flatMap((row) =>
    [row.key, row.fingerprint].map((bytes) => bytes.toString('latin1')),
  );
  for (const secret of [key, PASSWORD, body.username]) {
    expect(stored.some((text) => text.includes(secret))).toBe(false);
  }
});
