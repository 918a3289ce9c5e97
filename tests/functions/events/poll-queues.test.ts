import { randomUUID } from 'node:crypto';
import { uuidv7 } from 'uuidv7';
import { DEAD_LETTERS, queueOf } from '../../../shared/broker/topology';
import type { BatchResponse, RmqEvent } from '../../../shared/lambda/rmq-event';
import { openClient } from '../../setup/broker';
import { type Answer, done, failing, Polling, userEvent } from '../../setup/polling';

let polling: Polling;
beforeEach(async () => {
  polling = await Polling.open();
});
afterEach(() => polling.close());

test('hands messages over in the shape of Amazon MQ', async () => {
  const [id = ''] = await polling.send(1);
  const run = polling.poll(done);
  await run.until(() => run.calls.length > 0);
  const [call] = run.calls;
  expect(call?.name).toBe('rollcall-dev-audit');
  expect(call?.event).toMatchObject({ eventSource: 'aws:rmq', eventSourceArn: 'arn:rollcall:poll-queues' });
  expect(Object.keys(call?.event.rmqMessagesByQueue ?? {})).toEqual([
    `${queueOf(polling.ctx.config.events, 'audit')}::/`,
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
  const ids = await polling.send(30);
  // However slowly they come in.
  const run = polling.poll(done, { batchQuietMs: 60_000, batchWindowMs: 60_000 });
  await run.until(() => run.calls.flatMap((call) => call.messages).length >= 30);
  expect(run.calls.map(({ messages }) => messages.length)).toEqual([10, 10, 10]);
  expect(
    run.calls.flatMap((call) => call.messages).map((message) => message.basicProperties.messageId),
  ).toEqual(ids);
});

test('a message that fails is tried at each delay and then is a dead letter; its neighbours are not', async () => {
  const ids = await polling.send(5);
  const poison = ids[2] ?? '';
  const dead = await polling.deadLetters();
  const run = polling.poll(failing([poison], 'cannot handle this'));
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
      'rollcall-queue': queueOf(polling.ctx.config.events, 'audit'),
      'rollcall-error': 'cannot handle this',
      count: 3,
    },
  });
  expect(JSON.parse(letter?.content.toString() ?? '')).toMatchObject({ id: poison });
  await run.stop();
  expect([dead.messages.length, await polling.queued()]).toEqual([1, 0]);
});

test("what no attempt can help is a dead letter after the first, and its user's later events go on", async () => {
  const ids = await polling.sendOfOneUser(3);
  const [neighbour = ''] = await polling.send(1);
  const [first = '', second = '', third = ''] = ids;
  const dead = await polling.deadLetters();
  const run = polling.poll((batch) => {
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
  expect([await polling.retrying(), await polling.queued()]).toEqual([[], 0]);
});

test('what is not one of our events is a dead letter at once, and never handed over', async () => {
  const wrong = userEvent();
  const bodies: [string, Buffer][] = [
    [uuidv7(), Buffer.from('{')],
    [uuidv7(), Buffer.from('null')],
    [uuidv7(), Buffer.from(JSON.stringify({ ...wrong, type: 'user.exploded' }))],
    [wrong.id, Buffer.from(JSON.stringify({ ...wrong, data: {} }))],
    [randomUUID(), Buffer.from(JSON.stringify(userEvent()))],
  ];
  for (const [id, body] of bodies) polling.publish(id, body);
  const dead = await polling.deadLetters();
  const run = polling.poll(done);
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
  const ids = await polling.send(8);
  const poison = ids[5] ?? '';
  const dead = await polling.deadLetters();
  const holdsPoison = (batch: RmqEvent) => JSON.stringify(batch).includes(poison);
  const run = polling.poll((batch) => (holdsPoison(batch) ? fault(batch) : done(batch)));
  await dead.atLeast(1);
  await run.stop();
  expect(dead.messages.map((message) => message.properties.messageId)).toEqual([poison]);
  expect(await polling.queued()).toBe(0);
});

test.each<[string, Answer]>([
  ['null', () => null],
  ['no list', () => ({}) as BatchResponse],
  ['an empty list', done],
])('the answer %s means that all are done', async (_name, answer) => {
  await polling.send(3);
  const run = polling.poll(answer);
  await run.until(() => run.calls.flatMap((call) => call.messages).length >= 3);
  await run.stop();
  expect(await polling.queued()).toBe(0);
});

test('a function that cannot be invoked costs no attempt: the batch waits, and is given back at the end', async () => {
  const ids = await polling.send(2);
  const run = polling.poll(() => ({ kind: 'unavailable', reason: 'throttled' }));
  await run.until(() => run.calls.length > 0);
  await run.stop();
  expect(await polling.queued()).toBe(2);

  const next = polling.poll(done);
  await next.until(() => next.calls.flatMap((call) => call.messages).length >= 2);
  const messages = next.calls.flatMap((call) => call.messages);
  expect(messages.map((message) => message.basicProperties.messageId)).toEqual(ids);
  for (const message of messages)
    expect(message.basicProperties.headers).not.toHaveProperty('rollcall-attempt');
});

test('a second poller waits for the first to end, and goes on where it stopped', async () => {
  const first = polling.poll(done);
  await polling.send(1);
  await first.until(() => first.calls.length > 0);
  const second = polling.poll(done);
  const ids = await polling.send(20);
  await first.until(() => first.calls.flatMap((call) => call.messages).length >= 21);
  expect(second.calls).toEqual([]);
  await first.stop();
  const [last = ''] = await polling.send(1);
  await second.until(() => second.calls.length > 0);
  expect(Object.keys(second.deliveries())).toEqual([last]);
  expect(first.deliveries()).toMatchObject(Object.fromEntries(ids.map((id) => [id, 1])));
});

test('after its connection was cut it goes on, and nothing is lost', async () => {
  const run = polling.poll(done);
  const before = await polling.send(3);
  await run.until(() => before.every((id) => run.deliveries()[id]));
  await polling.proxy.stop();
  const during = await polling.send(3);
  await polling.proxy.start();
  await run.until(() => during.every((id) => run.deliveries()[id]));
});

test('a queue that is deleted under it is declared again', async () => {
  const run = polling.poll(done);
  const [id = ''] = await polling.send(1);
  await run.until(() => Boolean(run.deliveries()[id]));
  await polling.client.channel.deleteQueue(queueOf(polling.ctx.config.events, 'audit'));
  let again = '';
  while (!again) {
    // Until the queue is back, the exchange has nowhere to put it.
    const declared = await openClient().then(async ({ model, channel }) => {
      const found = await channel.checkQueue(queueOf(polling.ctx.config.events, 'audit')).catch(() => null);
      await model.close();
      return found;
    });
    if (declared) [again = ''] = await polling.send(1);
  }
  await run.until(() => Boolean(run.deliveries()[again]));
});

test('dead letters that cannot be stored stay in their queue, and wait', async () => {
  const [id = ''] = await polling.send(1);
  const failed: Answer = () => ({ kind: 'failed', reason: 'the database is down' });
  const run = polling.poll(failing([id]), {}, failed);
  await run.until(() => run.deadLetterCalls.length > 0);
  await run.stop();
  expect(await polling.queued(DEAD_LETTERS)).toBe(1);
  const next = polling.poll(done);
  await next.until(() => next.deadLetterCalls.length > 0);
  await next.stop();
  expect(await polling.queued(DEAD_LETTERS)).toBe(0);
});

test("a stranger's message that is larger than any event keeps its beginning as a dead letter", async () => {
  polling.publish(uuidv7(), Buffer.alloc(1_000_000, 'x'));
  const dead = await polling.deadLetters();
  polling.poll(done);
  const [letter] = await dead.atLeast(1);
  expect(letter?.content).toEqual(Buffer.alloc(256 * 1024, 'x'));
});
