import { uuidv7 } from 'uuidv7';
import { handler as listQueues } from '../../../functions/events/list-queues';
import { freePort } from '../../../local/ports';
import { createBroker } from '../../../shared/broker/connection';
import {
  deadExchangeOf,
  POLLED_QUEUES,
  type PolledQueue,
  queueOf,
  retryExchangeOf,
} from '../../../shared/broker/topology';
import { brokerUrl, openClient } from '../../setup/broker';
import { type TestContext, testContext } from '../../setup/context';
import { call } from '../../setup/http';
import { logInAdmin, type Person, registerPerson } from '../../setup/people';
import { startProxy } from '../../setup/proxy';

let ctx: TestContext;
let admin: Person;
let client: Awaited<ReturnType<typeof openClient>>;
beforeEach(async () => {
  ctx = await testContext({ RETRY_DELAYS_MS: '60000,120000' });
  admin = await logInAdmin(ctx);
  client = await openClient();
});
afterEach(async () => {
  await client.model.close();
  await ctx.close();
});

const list = (at: TestContext = ctx, token = admin.accessToken) => call(listQueues, at, { token });
const queue = (name: 'audit' | 'dead-letters') => queueOf(ctx.config.events, name);
async function fill(exchange: string, routingKey: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) client.channel.publish(exchange, routingKey, Buffer.from('x'));
  await client.channel.waitForConfirms();
}
function pass(seconds: number): void {
  ctx.clock.now = new Date(ctx.clock.now.getTime() + seconds * 1000);
}

test('counts what waits: for a consumer, for its next attempt, and for an administrator', async () => {
  await fill('', queue('audit'), 3);
  await fill(retryExchangeOf(ctx.config.events, 60_000), queue('audit'), 2);
  await fill(deadExchangeOf(ctx.config.events), '', 1);
  await client.channel.consume(queueOf(ctx.config.events, 'emails'), () => {});
  const event = { event_id: uuidv7(), subject: uuidv7(), sequence: '1', due_at: new Date() };
  await ctx.db
    .insertInto('retrying_events')
    .values({ ...event, consumer: 'audit' })
    .execute();
  const letter = { id: uuidv7(), error: 'x', attempts: 1, body: Buffer.from('x'), queue: queue('audit') };
  await ctx.db
    .insertInto('dead_letters')
    .values({ ...letter, fingerprint: Buffer.from('x') })
    .execute();

  const { status, body } = await list();
  expect([status, body.broker, body.deadLetters]).toEqual([200, 'up', 1]);
  const { events } = ctx.config;
  const depths: Partial<Record<PolledQueue, object>> = {
    audit: { ready: 3, retry: 1 },
    emails: { consumers: 1 },
    'dead-letters': { ready: 1 },
  };
  expect(body.queues).toEqual(
    POLLED_QUEUES.map((consumer) => ({
      consumer,
      name: queueOf(events, consumer),
      ready: 0,
      consumers: 0,
      retry: 0,
      ...depths[consumer],
    })),
  );
  expect(body.retryQueues).toEqual([
    { name: `${events.queuePrefix}.retry.60000`, delayMs: 60_000, ready: 2 },
    { name: `${events.queuePrefix}.retry.120000`, delayMs: 120_000, ready: 0 },
  ]);
});

test('looks once a second, however many ask', async () => {
  const first = (await list()).body;
  await fill('', queue('audit'), 1);
  expect((await list()).body).toEqual(first);
  pass(1);
  expect((await list()).body.queues[0].ready).toBe(1);
});

test('leaves out a queue that does not exist, and names those behind it', async () => {
  await client.channel.deleteQueue(queue('audit'));
  const { body } = await list();
  expect(body.queues.map(({ consumer }: { consumer: string }) => consumer)).toEqual(
    POLLED_QUEUES.filter((name) => name !== 'audit'),
  );
  // The connection, which publishing shares, still works.
  pass(1);
  expect((await list()).body.broker).toBe('up');
});

test('without a broker, says so, and counts what the database knows', async () => {
  const other = await testContext();
  const proxy = await startProxy(brokerUrl());
  const own = await logInAdmin(other);

  const unreachable = createBroker(`amqp://127.0.0.1:${await freePort()}`, 'rollcall-test', other.log);
  const none = { broker: 'down', queues: null, retryQueues: null, deadLetters: 0 };
  const refused = await list({ ...other, broker: unreachable }, own.accessToken);
  expect([refused.status, refused.body]).toEqual([200, none]);
  // One that takes the connection and then falls silent.
  const silent = createBroker(proxy.url, 'rollcall-test', other.log);
  await silent.open(5_000);
  proxy.blackHole();
  other.clock.now = new Date(other.clock.now.getTime() + 1000);
  const late = await list({ ...other, broker: silent }, own.accessToken);
  expect([late.status, late.body]).toEqual([200, none]);
  silent.discard();
  await proxy.stop();
  await other.close();
});

test('is for those who may read events', async () => {
  const person = await registerPerson(ctx);
  expect((await list(ctx, person.accessToken)).body.code).toBe('forbidden');
});
