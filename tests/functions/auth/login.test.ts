import { login } from '../../../functions/auth/login';
import { getMe } from '../../../functions/users/get-me';
import { hashPassword } from '../../../shared/passwords/hash';
import { type TestContext, testContext } from '../../setup/context';
import { untilLockIsAwaited } from '../../setup/database';
import { call } from '../../setup/http';
import { PASSWORD, registerPerson } from '../../setup/people';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext();
});
afterAll(() => ctx.close());

const post = (body: unknown) => call(login, ctx, { method: 'POST', path: '/login', body });

test.each(['username', 'email'] as const)('opens a session by %s, in any case', async (field) => {
  const { user } = await registerPerson(ctx);
  const { status, body } = await post({ [field]: user[field]?.toUpperCase(), password: PASSWORD });
  expect(status).toBe(200);
  expect(body).toMatchObject({ user, tokenType: 'Bearer', expiresIn: 900 });
  const me = await call(getMe, ctx, { token: body.accessToken });
  expect(me.body).toEqual(user);
});

test('writes session.created for the relay, after user.created and before anything later', async () => {
  const { user } = await registerPerson(ctx);
  await post({ username: user.username, password: PASSWORD });
  await post({ username: user.username, password: PASSWORD });
  const rows = await ctx.db
    .selectFrom('outbox')
    .selectAll()
    .where('subject', '=', user.id)
    .orderBy('position')
    .execute();
  expect(rows.map((row) => [row.type, row.sequence])).toEqual([
    ['user.created', '0000000001'],
    ['session.created', '0000000001.000001'],
    ['session.created', '0000000001.000002'],
  ]);
  expect(rows[1]).toMatchObject({ actor_id: user.id, published_at: null });
  expect(Object.keys(rows[1]?.data ?? {}).sort()).toEqual(['reason', 'sessionId', 'userId']);
});

test('gives the same answer for a wrong name, a wrong password and a password that bcrypt would cut', async () => {
  const long = 'x'.repeat(72);
  const { user } = await registerPerson(ctx, { password: long });
  const answers = await Promise.all([
    post({ username: 'nobody-of-that-name', password: PASSWORD }),
    post({ email: 'nobody@example.com', password: PASSWORD }),
    post({ username: user.username, password: 'wrong' }),
    post({ username: user.username, password: `${long}y` }),
    post({ username: 'no\u212Aelvin', password: PASSWORD }),
  ]);
  for (const { status, body } of answers) {
    expect([status, body.code]).toEqual([401, 'invalid_credentials']);
    expect({ ...body, requestId: '' }).toEqual({ ...answers[0]?.body, requestId: '' });
  }
});

test('compares one hash for an unknown user too', async () => {
  // At a cost where the hash outweighs everything else by far; the real spread is measured in the benchmarks.
  const slow = { ...ctx, config: { ...ctx.config, users: { ...ctx.config.users, bcryptCost: 12 } } };
  const startedAt = performance.now();
  await call(login, slow, { method: 'POST', body: { username: 'nobody', password: PASSWORD } });
  const hashStartedAt = performance.now();
  await hashPassword(PASSWORD, 12);
  const hashMs = performance.now() - hashStartedAt;
  expect(hashStartedAt - startedAt).toBeGreaterThan(hashMs / 3);
});

test('upgrades a hash of a lower cost, and the new one works', async () => {
  const { user } = await registerPerson(ctx);
  const raised = { ...ctx, config: { ...ctx.config, users: { ...ctx.config.users, bcryptCost: 5 } } };
  const body = { username: user.username, password: PASSWORD };
  expect((await call(login, raised, { method: 'POST', body })).status).toBe(200);
  const row = await ctx.db
    .selectFrom('users')
    .selectAll()
    .where('id', '=', user.id)
    .executeTakeFirstOrThrow();
  expect(row.password_hash).toMatch(/^\$2[aby]\$05\$/);
  expect(row.version).toBe(1);
  expect((await call(login, raised, { method: 'POST', body })).status).toBe(200);
});

test('is refused where the password changes between the check and the session', async () => {
  const { user } = await registerPerson(ctx);
  const newHash = await hashPassword('another password', 4);
  const { answer } = await ctx.db.transaction().execute(async (tx) => {
    await tx.updateTable('users').set({ password_hash: newHash }).where('id', '=', user.id).execute();
    // Sees the old hash, and then waits for the row that this transaction holds.
    const answer = post({ username: user.username, password: PASSWORD });
    await untilLockIsAwaited(ctx);
    return { answer };
  });
  const { status, body } = await answer;
  expect([status, body.code]).toEqual([401, 'invalid_credentials']);
});

test.each([
  [{ password: PASSWORD }],
  [{ username: 'a', email: 'b', password: PASSWORD }],
  [{ username: '', password: PASSWORD }],
  [{ username: 'gorden' }],
  [{ username: ['gorden'], password: PASSWORD }],
  [{ username: 'gorden', password: PASSWORD, remember: true }],
])('refuses the body %j', async (body) => {
  const answer = await post(body);
  expect([answer.status, answer.body.code]).toEqual([422, 'invalid_request']);
  expect(answer.body.errors.length).toBeGreaterThan(0);
});
