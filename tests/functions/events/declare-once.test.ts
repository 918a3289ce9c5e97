// Runs of relay and poller share a connection, and declare what they need once on it, and when something is missing.
import type { BrokerConnection } from '../../../shared/broker/connection';
import { CONSUMER_NAMES, CONSUMERS, POLLED_QUEUES, queueOf } from '../../../shared/broker/topology';
import { relayOutbox } from '../../../shared/outbox/relay';
import { pollQueues } from '../../../shared/poller/poll-queues';
import { openClient } from '../../setup/broker';
import { type TestContext, testContext } from '../../setup/context';
import { countUnsent, fillOutbox, makeDue } from '../../setup/outbox';

let ctx: TestContext;
beforeEach(async () => {
  ctx = await testContext({ RELAY_IDLE_MS: '1' });
});
afterEach(() => ctx.close());

/** Counts the connections, channels and declarations of queues that the runs make. */
function counting(): {
  broker: TestContext['broker'];
  counts: { connections: number; channels: number; queues: number };
} {
  const counts = { connections: 0, channels: 0, queues: 0 };
  const seen = new WeakSet<BrokerConnection>();
  const open = async (timeoutMs: number) => {
    const connection = await ctx.broker.open(timeoutMs);
    if (seen.has(connection)) return connection;
    seen.add(connection);
    counts.connections += 1;
    const { model } = connection;
    const createChannel = model.createChannel.bind(model);
    model.createChannel = async () => {
      counts.channels += 1;
      const channel = await createChannel();
      const assertQueue = channel.assertQueue.bind(channel);
      channel.assertQueue = (...args) => {
        counts.queues += 1;
        return assertQueue(...args);
      };
      return channel;
    };
    return connection;
  };
  return { broker: { ...ctx.broker, open }, counts };
}

const invoke = async () => ({ kind: 'answered' as const, payload: null });

test('idle, further runs of the poller open a channel for each queue, and nothing else', async () => {
  const { broker, counts } = counting();
  await pollQueues({ ...ctx, broker, invoke }, 1);
  const first = { ...counts };
  await pollQueues({ ...ctx, broker, invoke }, 1);
  await pollQueues({ ...ctx, broker, invoke }, 1);
  const queues = POLLED_QUEUES.length;
  expect(first).toMatchObject({ connections: 1, channels: 1 + queues });
  expect(first.queues).toBeGreaterThan(queues);
  expect(counts).toEqual({ ...first, channels: 1 + 3 * queues });
});

test('idle, further runs of the relay do nothing at the broker', async () => {
  const { broker, counts } = counting();
  await relayOutbox({ ...ctx, broker }, 0);
  const first = { ...counts };
  await relayOutbox({ ...ctx, broker }, 0);
  expect(counts).toEqual(first);
});

test('after an event that reaches no queue, the relay declares the bindings again', async () => {
  await relayOutbox(ctx, 0);
  const { model, channel } = await openClient();
  const { events } = ctx.config;
  for (const name of CONSUMER_NAMES)
    for (const pattern of CONSUMERS[name])
      await channel.unbindQueue(queueOf(events, name), events.exchange, pattern);
  await fillOutbox(ctx, 1);
  const reports = [];
  while ((await countUnsent(ctx)) > 0) {
    reports.push(await relayOutbox(ctx, 0));
    await makeDue(ctx);
  }
  expect(reports[0]).toEqual({ published: 0, refused: 1 });
  for (const name of CONSUMER_NAMES)
    expect((await channel.checkQueue(queueOf(events, name))).messageCount).toBe(
      (CONSUMERS[name] as readonly string[]).some((pattern) => ['#', 'user.created'].includes(pattern))
        ? 1
        : 0,
    );
  await model.close();
});
