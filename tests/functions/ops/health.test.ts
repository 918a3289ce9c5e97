import { sql } from 'kysely';
import { handler as health } from '../../../functions/ops/health';
import { freePort } from '../../../local/ports';
import { createBroker } from '../../../shared/broker/connection';
import { openDatabase } from '../../../shared/db/connection';
import { measuredPoll, measuredRelay } from '../../../shared/ops/measured-runs';
import { recordProblem, recordRun } from '../../../shared/tasks/task-run-store';
import { openClient } from '../../setup/broker';
import { type TestContext, testContext } from '../../setup/context';
import { call } from '../../setup/http';
import { fillOutbox } from '../../setup/outbox';
import { logInAdmin } from '../../setup/people';

let ctx: TestContext;
beforeEach(async () => {
  ctx = await testContext({ RELAY_BUDGET_MS: '1', POLL_BUDGET_MS: '1' });
});
afterEach(() => ctx.close());

const invoke = async () => ({ kind: 'answered' as const, payload: null });
async function runTasks(): Promise<void> {
  await measuredRelay(ctx, 0);
  await measuredPoll({ ...ctx, invoke }, 0);
}
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
function pass(seconds: number): void {
  ctx.clock.now = new Date(ctx.clock.now.getTime() + seconds * 1_000);
}

test('says that all is well, and how much is waiting', async () => {
  await runTasks();
  const { status, body } = await call(health, ctx);
  const well = { lastRunSeconds: expect.any(Number), problem: null };
  expect([status, body]).toEqual([
    200,
    {
      status: 'ok',
      database: 'up',
      broker: 'up',
      outbox: { pending: 0, oldestSeconds: 0 },
      relay: well,
      poller: well,
    },
  ]);
  // Two events for a relay that does not run here.
  await logInAdmin(ctx);
  expect((await call(health, ctx)).body.outbox.pending).toBe(0);
  pass(1);
  expect((await call(health, ctx)).body.outbox.pending).toBe(2);
});

test('counts a large backlog up to 10,000', async () => {
  await fillOutbox(ctx, 10_001);
  expect((await call(health, ctx)).body.outbox.pending).toBe(10_000);
});

test('a relay or poller that has not run yet, or not of late, is named', async () => {
  expect((await call(health, ctx)).body).toMatchObject({
    status: 'degraded',
    relay: { lastRunSeconds: null, problem: expect.stringContaining('relay-outbox has not run yet') },
    poller: { lastRunSeconds: null, problem: expect.stringContaining('poll-queues has not run yet') },
  });
  await runTasks();
  await sql`
    update task_runs set started_at = now() - interval '130 seconds' where task = 'poll-queues'`.execute(
    ctx.db,
  );
  pass(1);
  expect((await call(health, ctx)).body).toMatchObject({
    status: 'degraded',
    relay: { problem: null },
    poller: { problem: expect.stringMatching(/poll-queues has not run for 1\d\d s/) },
  });
});

test('what keeps the poller from working is named while it lasts', async () => {
  await runTasks();
  await recordProblem(ctx, 'poll-queues', 'The broker denies it');
  // Each run begins while the problem lasts.
  await recordRun(ctx.db, 'poll-queues');
  expect((await call(health, ctx)).body).toMatchObject({
    status: 'degraded',
    poller: { problem: 'The broker denies it' },
  });
  await sql`update task_runs set problem_at = now() - interval '121 seconds'`.execute(ctx.db);
  pass(1);
  expect((await call(health, ctx)).body.status).toBe('ok');
  await recordProblem(ctx, 'poll-queues', 'The broker denies it');
  await recordProblem(ctx, 'poll-queues', null);
  pass(1);
  expect((await call(health, ctx)).body.status).toBe('ok');
});

test('a poller that may not consume, and its end, are seen', async () => {
  const queue = `${ctx.config.events.queuePrefix}.emails`;
  const client = await openClient();
  // Somebody else has the queue for themselves.
  const other = await client.model.createChannel();
  await other.deleteQueue(queue);
  await other.assertQueue(queue);
  await other.consume(queue, () => {}, { exclusive: true });
  const stop = new AbortController();
  const broker = createBroker(ctx.config.broker.url, 'rollcall-test', ctx.log);
  const polling = measuredPoll({ ...ctx, broker, invoke }, 60_000, stop.signal);
  const problem = async () => {
    pass(1);
    return (await call(health, ctx)).body.poller.problem;
  };
  while (!/denies|cannot be used/.test((await problem()) ?? '')) await nextTurn();
  await other.close();
  while ((await problem()) !== null) await nextTurn();
  stop.abort();
  await polling;
  await broker.close();
  await client.model.close();
});

test('a broker that is down is reported, and no reason for 503: users can register', async () => {
  const broker = createBroker(`amqp://127.0.0.1:${await freePort()}`, 'test', ctx.log);
  const { status, body } = await call(health, { ...ctx, broker });
  expect([status, body.status, body.database, body.broker]).toEqual([200, 'degraded', 'up', 'down']);
});

test('a database that is down is 503', async () => {
  const db = openDatabase({ url: `postgres://127.0.0.1:${await freePort()}/none`, poolSize: 1 }, () => {});
  const { status, body } = await call(health, { ...ctx, db });
  const unknown = { outbox: null, relay: null, poller: null };
  expect([status, body]).toEqual([503, { status: 'down', database: 'down', broker: 'up', ...unknown }]);
  await db.destroy();
});
