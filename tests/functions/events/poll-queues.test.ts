import { randomUUID } from 'node:crypto';
import { uuidv7 } from 'uuidv7';
import { type PollContext, pollQueues } from '../../../shared/events/poller';
import type { BatchResponse, RmqEvent, RmqMessage } from '../../../shared/events/rmq-event';
import { deadLetterQueueOf, queueOf } from '../../../shared/events/topology';
import type { InvokeOutcome } from '../../../shared/lambda/invoke';
import { brokerUrl, openClient, Received } from '../../setup/broker';
import { type TestContext, testContext } from '../../setup/context';
import { startProxy, type TcpProxy } from '../../setup/proxy';

let proxy: TcpProxy;
let ctx: TestContext;
let client: Awaited<ReturnType<typeof openClient>>;
let polls: { stop(): Promise<void> }[];
beforeEach(async () => {
  proxy = await startProxy(brokerUrl());
  ctx = await testContext({ RABBITMQ_URL: proxy.url, RETRY_DELAYS_MS: '20,40', POLL_BATCH_SIZE: '10' });
  client = await openClient();
  polls = [];
});
afterEach(async () => {
  for (const poll of polls) await poll.stop();
  await client.model.close();
  await ctx.close();
  await proxy.stop();
});

type Answer = (event: RmqEvent) => BatchResponse | InvokeOutcome | null;

/** Runs the poller with this function in the place of every consumer. */
function poll(answer: Answer, batching: Partial<PollContext['config']['poll']> = {}) {
  const calls: { name: string; event: RmqEvent; messages: RmqMessage[] }[] = [];
  let wake = () => {};
  const invoke: PollContext['invoke'] = async (name, payload) => {
    // As JSON and back, as it would cross the wire.
    const event = JSON.parse(JSON.stringify(payload)) as RmqEvent;
    calls.push({ name, event, messages: Object.values(event.rmqMessagesByQueue).flat() });
    const result = answer(event);
    wake();
    return result !== null && 'kind' in result ? result : { kind: 'answered', payload: result };
  };
  const stopping = new AbortController();
  const config = { ...ctx.config, poll: { ...ctx.config.poll, ...batching } };
  const run = pollQueues({ ...ctx, config, invoke }, 60_000, stopping.signal);
  const handle = {
    calls,
    /** How often each message was delivered to the function. */
    deliveries: () => {
      const counts: Record<string, number> = {};
      for (const { basicProperties } of calls.flatMap((item) => item.messages)) {
        const id = String(basicProperties.messageId);
        counts[id] = (counts[id] ?? 0) + 1;
      }
      return counts;
    },
    until: async (condition: () => boolean) => {
      while (!condition()) await new Promise<void>((resolve) => (wake = resolve));
    },
    stop: async () => {
      stopping.abort();
      await run;
    },
  };
  polls.push(handle);
  return handle;
}

const done: Answer = () => ({ batchItemFailures: [] });
const failing = (ids: string[], reason = 'no luck'): Answer => {
  return (event) => ({
    batchItemFailures: Object.values(event.rmqMessagesByQueue)
      .flat()
      .map((message) => String(message.basicProperties.messageId))
      .filter((id) => ids.includes(id))
      .map((itemIdentifier) => ({ itemIdentifier, reason })),
  });
};

function event(id: string = uuidv7()) {
  const subject = uuidv7();
  return {
    specversion: '1.0',
    id,
    source: 'rollcall',
    type: 'user.deleted',
    subject,
    time: '2026-11-20T16:37:15.123Z',
    datacontenttype: 'application/json',
    sequence: '0000000001',
    data: { id: subject },
  };
}

/** Sends events to the audit consumer's queue. @returns their ids */
async function send(count: number): Promise<string[]> {
  const events = Array.from({ length: count }, () => event());
  for (const item of events) publish(item.id, Buffer.from(JSON.stringify(item)));
  await client.channel.waitForConfirms();
  return events.map((item) => item.id);
}

function publish(messageId: string, body: Buffer): void {
  const headers = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', count: 3 };
  // To this queue alone: how many others want the type is not what is tested here.
  client.channel.publish('', queueOf(ctx.config.events, 'audit'), body, {
    messageId,
    type: 'user.deleted',
    appId: 'rollcall',
    contentType: 'application/cloudevents+json',
    timestamp: 1_795_190_235,
    persistent: true,
    headers,
  });
}

const deadLetters = () => Received.from(client.channel, deadLetterQueueOf(ctx.config.events));
const queued = async () =>
  (await client.channel.checkQueue(queueOf(ctx.config.events, 'audit'))).messageCount;

test('hands messages over in the shape of Amazon MQ', async () => {
  const [id = ''] = await send(1);
  const run = poll(done);
  await run.until(() => run.calls.length > 0);
  const [call] = run.calls;
  expect(call?.name).toBe('rollcall-dev-audit');
  expect(call?.event).toMatchObject({ eventSource: 'aws:rmq', eventSourceArn: 'arn:rollcall:poll-queues' });
  expect(Object.keys(call?.event.rmqMessagesByQueue ?? {})).toEqual([
    `${queueOf(ctx.config.events, 'audit')}::/`,
  ]);
  const [message] = call?.messages ?? [];
  expect(message).toEqual({
    basicProperties: {
      contentType: 'application/cloudevents+json',
      contentEncoding: null,
      headers: {
        traceparent: { bytes: [...Buffer.from('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01')] },
        count: 3,
      },
      deliveryMode: 2,
      priority: null,
      correlationId: null,
      replyTo: null,
      expiration: null,
      messageId: id,
      timestamp: 'Nov 20, 2026, 3:57:15 PM',
      type: 'user.deleted',
      userId: null,
      appId: 'rollcall',
      clusterId: null,
      bodySize: expect.any(Number),
    },
    redelivered: false,
    data: expect.any(String),
  });
  expect(JSON.parse(Buffer.from(message?.data ?? '', 'base64').toString())).toMatchObject({ id });
});

test('fills batches up to their size and takes them in order', async () => {
  const ids = await send(35);
  // However slowly they come in.
  const run = poll(done, { batchQuietMs: 10_000, batchWindowMs: 1_000 });
  await run.until(() => run.calls.flatMap((call) => call.messages).length >= 35);
  expect(run.calls[0]?.messages).toHaveLength(10);
  expect(
    run.calls.flatMap((call) => call.messages).map((message) => message.basicProperties.messageId),
  ).toEqual(ids);
});

test('a message that fails is tried at each delay and then is a dead letter; its neighbours are not', async () => {
  const ids = await send(5);
  const poison = ids[2] ?? '';
  const dead = await deadLetters();
  const run = poll(failing([poison], 'cannot handle this'));
  await dead.atLeast(1);
  expect(run.deliveries()).toEqual({ ...Object.fromEntries(ids.map((id) => [id, 1])), [poison]: 3 });
  const [letter] = dead.messages;
  expect(letter?.properties).toMatchObject({
    messageId: poison,
    type: 'user.deleted',
    appId: 'rollcall',
    contentType: 'application/cloudevents+json',
    timestamp: 1_795_190_235,
    deliveryMode: 2,
    headers: {
      'rollcall-attempt': 3,
      'rollcall-queue': queueOf(ctx.config.events, 'audit'),
      'rollcall-error': 'cannot handle this',
      count: 3,
    },
  });
  expect(JSON.parse(letter?.content.toString() ?? '')).toMatchObject({ id: poison });
  await run.stop();
  expect([dead.messages.length, await queued()]).toEqual([1, 0]);
});

test('what is not one of our events is a dead letter at once, and never handed over', async () => {
  const wrong = event();
  const bodies: [string, Buffer][] = [
    [uuidv7(), Buffer.from('{')],
    [uuidv7(), Buffer.from('null')],
    [uuidv7(), Buffer.from(JSON.stringify({ ...wrong, type: 'user.exploded' }))],
    [wrong.id, Buffer.from(JSON.stringify({ ...wrong, data: {} }))],
    [randomUUID(), Buffer.from(JSON.stringify(event()))],
  ];
  for (const [id, body] of bodies) publish(id, body);
  const dead = await deadLetters();
  const run = poll(done);
  await dead.atLeast(bodies.length);
  expect(dead.messages.map((message) => message.properties.messageId).sort()).toEqual(
    bodies.map(([id]) => id).sort(),
  );
  expect(dead.messages[0]?.properties.headers).toMatchObject({ 'rollcall-error': 'not a valid event' });
  expect(run.calls).toEqual([]);
});

test.each<[string, Answer]>([
  ['throws', () => ({ kind: 'failed', reason: 'Task timed out' })],
  ['names an unknown message', () => ({ batchItemFailures: [{ itemIdentifier: 'nobody' }] })],
  ['answers with something else', () => ({ batchItemFailures: 'none' }) as unknown as BatchResponse],
])('a function that %s over one message takes no other along', async (_name, fault) => {
  const ids = await send(8);
  const poison = ids[5] ?? '';
  const dead = await deadLetters();
  const holdsPoison = (batch: RmqEvent) => JSON.stringify(batch).includes(poison);
  const run = poll((batch) => (holdsPoison(batch) ? fault(batch) : done(batch)));
  await dead.atLeast(1);
  await run.stop();
  expect(dead.messages.map((message) => message.properties.messageId)).toEqual([poison]);
  expect(await queued()).toBe(0);
});

test.each<[string, Answer]>([
  ['null', () => null],
  ['no list', () => ({}) as BatchResponse],
  ['an empty list', done],
])('the answer %s means that all are done', async (_name, answer) => {
  await send(3);
  const run = poll(answer);
  await run.until(() => run.calls.flatMap((call) => call.messages).length >= 3);
  await run.stop();
  expect(await queued()).toBe(0);
});

test('a function that cannot be invoked costs no attempt: the batch waits, and is given back at the end', async () => {
  const ids = await send(2);
  const run = poll(() => ({ kind: 'unavailable', reason: 'throttled' }));
  await run.until(() => run.calls.length > 0);
  await run.stop();
  expect(await queued()).toBe(2);

  const next = poll(done);
  await next.until(() => next.calls.flatMap((call) => call.messages).length >= 2);
  const messages = next.calls.flatMap((call) => call.messages);
  expect(messages.map((message) => message.basicProperties.messageId)).toEqual(ids);
  for (const message of messages)
    expect(message.basicProperties.headers).not.toHaveProperty('rollcall-attempt');
});

test('a second poller waits for the first to end, and goes on where it stopped', async () => {
  const first = poll(done);
  await send(1);
  await first.until(() => first.calls.length > 0);
  const second = poll(done);
  const ids = await send(20);
  await first.until(() => first.calls.flatMap((call) => call.messages).length >= 21);
  expect(second.calls).toEqual([]);
  await first.stop();
  const [last = ''] = await send(1);
  await second.until(() => second.calls.length > 0);
  expect(Object.keys(second.deliveries())).toEqual([last]);
  expect(first.deliveries()).toMatchObject(Object.fromEntries(ids.map((id) => [id, 1])));
});

test('after its connection was cut it goes on, and nothing is lost', async () => {
  const run = poll(done);
  const before = await send(3);
  await run.until(() => before.every((id) => run.deliveries()[id]));
  await proxy.stop();
  const during = await send(3);
  await proxy.start();
  await run.until(() => during.every((id) => run.deliveries()[id]));
});

test('a queue that is deleted under it is declared again', async () => {
  const run = poll(done);
  const [id = ''] = await send(1);
  await run.until(() => Boolean(run.deliveries()[id]));
  await client.channel.deleteQueue(queueOf(ctx.config.events, 'audit'));
  let again = '';
  while (!again) {
    // Until the queue is back, the exchange has nowhere to put it.
    const declared = await openClient().then(async ({ model, channel }) => {
      const found = await channel.checkQueue(queueOf(ctx.config.events, 'audit')).catch(() => null);
      await model.close();
      return found;
    });
    if (declared) [again = ''] = await send(1);
  }
  await run.until(() => Boolean(run.deliveries()[again]));
});
