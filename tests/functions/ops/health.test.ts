import { health } from '../../../functions/ops/health';
import { freePort } from '../../../local/ports';
import { createBroker } from '../../../shared/broker/connection';
import { openDatabase } from '../../../shared/db/connection';
import { type TestContext, testContext } from '../../setup/context';
import { call } from '../../setup/http';
import { logInAdmin } from '../../setup/people';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext();
});
afterAll(() => ctx.close());

test('says that all is well, and how much is waiting', async () => {
  const { status, body } = await call(health, ctx);
  expect([status, body]).toEqual([
    200,
    { status: 'ok', database: 'up', broker: 'up', outbox: { pending: 0, oldestSeconds: 0 } },
  ]);
  // Two events for a relay that does not run here.
  await logInAdmin(ctx);
  expect((await call(health, ctx)).body.outbox.pending).toBe(2);
});

test('a broker that is down is reported, and no reason for 503: users can register', async () => {
  const broker = createBroker(`amqp://127.0.0.1:${await freePort()}`, 'test', ctx.log);
  const { status, body } = await call(health, { ...ctx, broker });
  expect([status, body.status, body.database, body.broker]).toEqual([200, 'degraded', 'up', 'down']);
});

test('a database that is down is 503', async () => {
  const db = openDatabase({ url: `postgres://127.0.0.1:${await freePort()}/none`, poolSize: 1 }, () => {});
  const { status, body } = await call(health, { ...ctx, db });
  expect([status, body]).toEqual([503, { status: 'down', database: 'down', broker: 'up', outbox: null }]);
  await db.destroy();
});
