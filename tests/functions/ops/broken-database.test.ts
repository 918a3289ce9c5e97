// What a client and a monitor see of a database that is away, silent or refuses writes, and for how long.
import { randomUUID } from 'node:crypto';
import { handler as login } from '../../../functions/auth/login';
import { handler as register } from '../../../functions/auth/register';
import { handler as health } from '../../../functions/ops/health';
import { handler as getMe } from '../../../functions/users/get-me';
import { createContext } from '../../../shared/context/context';
import type { PublishingContext } from '../../../shared/outbox/publisher';
import { type TestContext, testContext } from '../../setup/context';
import { endBackends, freeze } from '../../setup/flaky-database';
import { call } from '../../setup/http';
import { registerPerson, registration } from '../../setup/people';
import { startProxy, type TcpProxy } from '../../setup/proxy';
import { eventually } from '../../setup/service';

let ctx: TestContext;
let proxy: TcpProxy;
/** One container: its one connection goes through the proxy. */
let container: PublishingContext;

beforeEach(async () => {
  ctx = await testContext();
  proxy = await startProxy(ctx.config.database.url);
  container = contextAt(proxy.url, 20_000);
});
afterEach(async () => {
  await container.db.destroy();
  await proxy.stop();
  await ctx.close();
});

function contextAt(url: string, statementTimeoutMs: number): PublishingContext {
  const database = { ...ctx.config.database, url, poolSize: 1, statementTimeoutMs };
  return { ...ctx, ...createContext({ ...ctx.config, database }, ctx.log), publisher: ctx.publisher };
}

const wrongLogin = { method: 'POST', body: { username: 'nobody-here', password: 'a wrong password' } };
const logIn = async () => (await call(login, container, wrongLogin)).status;

test('a connection that the server ended while the container was frozen costs nobody an error', async () => {
  await container.db.destroy();
  container = contextAt(ctx.config.database.url, 20_000);
  expect(await logIn()).toBe(401);
  await endBackends(ctx.db);
  freeze(300);
  expect(await logIn()).toBe(401);
  expect(await logIn()).toBe(401);
});

test('a connection that fell silent while the container was frozen costs nobody an error', async () => {
  expect(await logIn()).toBe(401);
  proxy.silence();
  freeze();
  expect(await logIn()).toBe(401);
});

test('health is up again by itself', async () => {
  const answer = async () => {
    const { status, body } = await call(health, container);
    return [status, body.database];
  };
  expect(await answer()).toEqual([200, 'up']);
  proxy.silence();
  freeze();
  // An answer may be a second old, and the one that finds out may come too late on a busy machine.
  await eventually(answer, ([status]) => status === 200);
});

test('while it is away: 503, when to come back, and why, which is for the log alone; then all is well', async () => {
  const { accessToken } = await registerPerson(ctx);
  await proxy.stop();
  for (const reply of [
    await call(getMe, container, { token: accessToken }),
    await call(login, container, wrongLogin),
    await call(register, container, { method: 'POST', body: registration() }),
  ]) {
    expect([reply.status, reply.body.code]).toEqual([503, 'unavailable']);
    expect(Number(reply.headers['retry-after'])).toBeGreaterThan(0);
    expect(JSON.stringify(reply.body)).not.toContain('ECONNREFUSED');
  }
  expect(ctx.logged).toContainEqual(
    expect.objectContaining({
      message: 'A request failed',
      error: expect.objectContaining({ message: expect.stringContaining('ECONNREFUSED') }),
    }),
  );
  await proxy.start();
  expect((await call(getMe, container, { token: accessToken })).status).toBe(200);
});

test('a registration whose commit was not answered: 503 says so, and its Idempotency-Key finds out', async () => {
  await container.db.destroy();
  container = contextAt(proxy.url, 1_500);
  const request = {
    method: 'POST',
    path: '/register',
    body: registration(),
    headers: { 'idempotency-key': randomUUID() },
  };
  proxy.muteServerAt('commit');
  const lost = await call(register, container, request);
  expect([lost.status, lost.body.code]).toEqual([503, 'unavailable']);
  expect(lost.body.detail).toContain('Idempotency-Key');
  proxy.heal();
  const found = await call(register, container, request);
  expect([found.status, found.headers['idempotent-replayed']]).toEqual([201, 'true']);
  const users = await ctx.db.selectFrom('users').select('username').execute();
  expect(users).toEqual([{ username: request.body.username }]);
});
