import { randomUUID } from 'node:crypto';
import { uuidv7 } from 'uuidv7';
import { type PollContext, pollQueues } from '../../../shared/events/poller';
import type { BatchResponse, RmqEvent, RmqMessage } from '../../../shared/events/rmq-event';
import { DEAD_LETTERS, deadExchangeOf, type PolledQueue, queueOf } from '../../../shared/events/topology';
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

/** Runs the poller with this function in the place of the audit consumer. */
function poll(
  answer: Answer,
  batching: Partial<PollContext['config']['poll']> = {},
  storeDeadLetters: Answer = done,
) {
  const calls: { name: string; event: RmqEvent; messages: RmqMessage[] }[] = [];
  const deadLetterCalls: RmqEvent[] = [];
  let wake = () => {};
  const invoke: PollContext['invoke'] = async (name, payload) => {
    // As JSON and back, as it would cross the wire.
    const event = JSON.parse(JSON.stringify(payload)) as RmqEvent;
    const isDeadLetters = name.endsWith('-dead-letters');
    // Consumers of some of the types have nothing to add to what the one of all of them shows.
    if (!isDeadLetters && !name.endsWith('-audit')) return { kind: 'answered', payload: null };
    if (isDeadLetters) deadLetterCalls.push(event);
    else calls.push({ name, event, messages: Object.values(event.rmqMessagesByQueue).flat() });
    const result = isDeadLetters ? storeDeadLetters(event) : answer(event);
    wake();
    return result !== null && 'kind' in result ? result : { kind: 'answered', payload: result };
  };
  const stopping = new AbortController();
  const config = { ...ctx.config, poll: { ...ctx.config.poll, ...batching } };
  const run = pollQueues({ ...ctx, config, invoke }, 60_000, stopping.signal);
  const handle = {
    calls,
    deadLetterCalls,
    /** The events' sequences, in the order in which the function was given them. */
    sequences: () => calls.flatMap((item) => item.messages).map((message) => bodyOf(message).sequence),
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

const bodyOf = (message: RmqMessage) => JSON.parse(Buffer.from(message.data, 'base64').toString());

function event(id: string = uuidv7(), subject: string = uuidv7(), sequence = '0000000001') {
  return {
    specversion: '1.0',
    id,
    source: 'rollcall',
    type: 'user.deleted',
    subject,
    time: '2026-11-20T16:37:15.123Z',
    datacontenttype: 'application/json',
    sequence,
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

/** So many events of one user. @returns their ids */
async function sendOfOneUser(count: number): Promise<string[]> {
  const subject = uuidv7();
  const events = Array.from({ length: count }, (_, i) => event(uuidv7(), subject, `000000000${i + 1}`));
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

/** A look at the dead letters beside the function that stores them. */
async function deadLetters(): Promise<Received> {
  const { queue } = await client.channel.assertQueue('', { exclusive: true });
  await client.channel.bindQueue(queue, deadExchangeOf(ctx.config.events), '');
  return Received.from(client.channel, queue);
}
const queued = async (polled: PolledQueue = 'audit') =>
  (await client.channel.checkQueue(queueOf(ctx.config.events, polled))).messageCount;
const retrying = () => ctx.db.selectFrom('retrying_events').select(['event_id', 'consumer']).execute();

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

test("what no attempt can help is a dead letter after the first, and its user's later events go on", async () => {
  const ids = await sendOfOneUser(3);
  const [neighbour = ''] = await send(1);
  const [first = '', second = '', third = ''] = ids;
  const dead = await deadLetters();
  const run = poll((batch) => {
    const answer = failing(ids, 'not tried')(batch);
    if (!JSON.stringify(batch).includes(first)) return done(batch);
    return {
      batchItemFailures: (answer as BatchResponse).batchItemFailures.map((failure) =>
        failure.itemIdentifier === first ? { ...failure, reason: 'no such mailbox', final: true } : failure,
      ),
    };
  });
  await dead.atLeast(1);
  await run.until(() => run.deliveries()[third] === 2);
  await run.stop();
  expect(dead.messages.map((message) => message.properties.messageId)).toEqual([first]);
  expect(dead.messages[0]?.properties.headers).toMatchObject({
    'rollcall-attempt': 1,
    'rollcall-error': 'no such mailbox',
  });
  expect(run.deliveries()).toEqual({ [first]: 1, [second]: 2, [third]: 2, [neighbour]: 1 });
  const attempts = run.calls
    .flatMap((call) => call.messages)
    .filter(({ basicProperties }) => basicProperties.messageId === second)
    .map(({ basicProperties }) => basicProperties.headers?.['rollcall-attempt'] ?? 1);
  // To wait for an earlier event is no attempt.
  expect(attempts).toEqual([1, 1]);
  expect([await retrying(), await queued()]).toEqual([[], 0]);
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

describe("one user's events stay in order", () => {
  /** Fails this event so many times, and does all others, as a consumer function would. */
  function failingTimes(id: string, times: number): Answer {
    let left = times;
    return (batch) => {
      const stuck = new Set<string>();
      const batchItemFailures: BatchResponse['batchItemFailures'] = [];
      for (const message of Object.values(batch.rmqMessagesByQueue).flat()) {
        const { id: itemIdentifier, subject } = bodyOf(message);
        const fails = itemIdentifier === id && left-- > 0;
        if (!fails && !stuck.has(subject)) continue;
        stuck.add(subject);
        batchItemFailures.push({ itemIdentifier });
      }
      return { batchItemFailures };
    };
  }
  /** What was handled, in order: given to the function, and not among its failures. */
  function handling(answer: Answer): { answer: Answer; handled: string[] } {
    const handled: string[] = [];
    return {
      handled,
      answer: (batch) => {
        const result = answer(batch);
        if (result === null || 'kind' in result) return result;
        const failed = result.batchItemFailures.map((item) => item.itemIdentifier);
        for (const message of Object.values(batch.rmqMessagesByQueue).flat()) {
          const { id } = bodyOf(message);
          if (!failed.includes(id)) handled.push(id);
        }
        return result;
      },
    };
  }

  test.each([1, 10])('after one that failed, the later ones wait (batches of %i)', async (batchSize) => {
    const ids = await sendOfOneUser(4);
    const others = await send(3);
    const { answer, handled } = handling(failingTimes(ids[1] ?? '', 2));
    const run = poll(answer, { batchSize });
    await run.until(() => handled.length === 7);
    expect(handled.filter((id) => ids.includes(id))).toEqual(ids);
    await run.stop();
    expect([await retrying(), await queued(), run.deadLetterCalls]).toEqual([[], 0, []]);
    for (const id of others) expect(run.deliveries()[id]).toBe(1);
  });

  test('waiting costs no attempt, and ends when the earlier one is a dead letter', async () => {
    const ids = await sendOfOneUser(3);
    const { answer, handled } = handling(failing([ids[0] ?? '']));
    const dead = await deadLetters();
    const run = poll(answer, { batchSize: 1 });
    await run.until(() => handled.length === 2);
    expect(handled).toEqual(ids.slice(1));
    expect(dead.messages.map((message) => message.properties.messageId)).toEqual([ids[0]]);
    expect(run.deliveries()).toEqual({ [ids[0] ?? '']: 3, [ids[1] ?? '']: 1, [ids[2] ?? '']: 1 });
    await run.stop();
    expect(await retrying()).toEqual([]);
  });

  test('the next poller knows who waits for whom', async () => {
    const [first = ''] = await send(1);
    const second = uuidv7();
    const run = poll(failing([first]), { batchSize: 1 });
    await run.until(() => run.calls.length > 0);
    await run.stop();
    const { subject } = bodyOf(run.calls[0]?.messages[0] as RmqMessage);
    await ctx.db
      .updateTable('retrying_events')
      .set({ due_at: new Date(Date.now() + 60_000) })
      .execute();
    publish(second, Buffer.from(JSON.stringify(event(second, subject, '0000000002'))));
    await client.channel.waitForConfirms();
    const { answer, handled } = handling(done);
    const next = poll(answer);
    await next.until(() => handled.length === 2);
    expect(handled).toEqual([first, second]);
  });

  test('a function that crashes over one event is not given the later ones of its user', async () => {
    const ids = await sendOfOneUser(6);
    const { answer, handled } = handling(done);
    let crashes = 3;
    const run = poll((batch) => {
      const isIn = JSON.stringify(batch).includes(ids[1] ?? '');
      return isIn && crashes-- > 0 ? { kind: 'failed', reason: 'Runtime exited' } : answer(batch);
    });
    await run.until(() => handled.length === 6);
    expect(handled).toEqual(ids);
  });

  test('nobody waits for ever for an event that was lost with its retry queue', async () => {
    await send(1);
    const run = poll(done);
    await run.until(() => run.calls.length > 0);
    await run.stop();
    const { subject } = bodyOf(run.calls[0]?.messages[0] as RmqMessage);
    const wait = { consumer: 'audit', subject, sequence: '0000000002' };
    const due_at = new Date(Date.now() - 25 * 3600_000);
    await ctx.db
      .insertInto('retrying_events')
      .values({ ...wait, event_id: uuidv7(), due_at })
      .execute();
    const later = uuidv7();
    publish(later, Buffer.from(JSON.stringify(event(later, subject, '0000000003'))));
    const next = poll(done);
    await next.until(() => next.calls.length > 0);
    expect(next.deliveries()).toEqual({ [later]: 1 });
  });
});

describe('while the broker has not confirmed what a batch sends on', () => {
  const IN_FLIGHT_MS = 300;

  test('the next batch is handled, and neither is acknowledged', async () => {
    const [failed = '', next = ''] = await send(2);
    const run = poll(
      (batch) => {
        if (run.calls.length === 1) proxy.delay(IN_FLIGHT_MS);
        // Before the confirm can have come back.
        if (run.calls.length === 2) void proxy.stop();
        return run.calls.length === 1 ? failing([failed])(batch) : done(batch);
      },
      { batchSize: 1 },
    );
    await run.until(() => run.calls.length === 2);
    proxy.delay(0);
    await proxy.start();
    await run.until(() => run.calls.length >= 4);
    const again = run.calls.flatMap((call) => call.messages).slice(2, 4);
    expect(again.map(({ basicProperties, redelivered }) => [basicProperties.messageId, redelivered])).toEqual(
      [
        [failed, true],
        [next, true],
      ],
    );
    await run.stop();
    expect([await retrying(), await queued()]).toEqual([[], 0]);
  });

  test('a user waits for a dead letter until it is one', async () => {
    const [hopeless = '', later = ''] = await sendOfOneUser(2);
    const dead = await deadLetters();
    let buried: string[] = [];
    const run = poll(
      (batch) => {
        if (run.calls.length === 1) proxy.delay(IN_FLIGHT_MS);
        else buried = dead.messages.map((message) => String(message.properties.messageId));
        if (run.calls.length > 1) return done(batch);
        return { batchItemFailures: [{ itemIdentifier: hopeless, reason: 'no such mailbox', final: true }] };
      },
      { batchSize: 1 },
    );
    await run.until(() => run.deliveries()[later] === 1);
    expect(buried).toEqual([hopeless]);
    await run.stop();
    expect(run.deliveries()).toEqual({ [hopeless]: 1, [later]: 1 });
    expect([await retrying(), await queued()]).toEqual([[], 0]);
  });
});

test('dead letters that cannot be stored stay in their queue, and wait', async () => {
  const [id = ''] = await send(1);
  const failed: Answer = () => ({ kind: 'failed', reason: 'the database is down' });
  const run = poll(failing([id]), {}, failed);
  await run.until(() => run.deadLetterCalls.length > 0);
  await run.stop();
  expect(await queued(DEAD_LETTERS)).toBe(1);
  const next = poll(done);
  await next.until(() => next.deadLetterCalls.length > 0);
  await next.stop();
  expect(await queued(DEAD_LETTERS)).toBe(0);
});

test("a stranger's message that is larger than any event keeps its beginning as a dead letter", async () => {
  publish(uuidv7(), Buffer.alloc(1_000_000, 'x'));
  const dead = await deadLetters();
  poll(done);
  const [letter] = await dead.atLeast(1);
  expect(letter?.content).toEqual(Buffer.alloc(256 * 1024, 'x'));
});
