// A function that crashes or hangs over one event: that one counts an attempt, all others go on, and the next poller knows.

import { DEAD_LETTERS, queueOf } from '../../../shared/broker/topology';
import type { InvokeOutcome } from '../../../shared/lambda/invoke';
import type { BatchResponse } from '../../../shared/lambda/rmq-event';
import { done, failing, messagesOf, Polling, type SlowAnswer, userEvent } from '../../setup/polling';

const SHORT = { callTimeoutMs: 1_000 };

let polling: Polling;
beforeEach(async () => {
  polling = await Polling.open({ RETRY_DELAYS_MS: '20' });
});
afterEach(() => polling.close());

const never = new Promise<BatchResponse>(() => {});
const idsIn = (event: Parameters<SlowAnswer>[0]) =>
  messagesOf(event).map((message) => String(message.basicProperties.messageId));
const suspected = () => polling.ctx.db.selectFrom('suspected_events').select('event_id').execute();

test('one that hangs is a dead letter after its attempts; the others are handled beside it', async () => {
  const ids = await polling.send(10);
  const hanging = ids[4] ?? '';
  const handled: string[] = [];
  const dead = await polling.deadLetters();
  const run = polling.poll((event) => {
    if (idsIn(event).includes(hanging)) return never;
    handled.push(...idsIn(event));
    return done(event);
  }, SHORT);
  await dead.atLeast(1);
  const later = await polling.send(3);
  await run.until(() => later.every((id) => handled.includes(id)));
  await run.stop();
  expect(handled.sort()).toEqual([...ids, ...later].filter((id) => id !== hanging).sort());
  expect(dead.messages[0]?.properties).toMatchObject({
    messageId: hanging,
    headers: { 'rollcall-attempt': 2, 'rollcall-error': 'the function did not respond within 1 s' },
  });
  // With its batch, which is as large as what had arrived by then, and then by itself at each attempt.
  const sizes = run.calls
    .map(({ messages }) => messages.map(({ basicProperties }) => basicProperties.messageId))
    .filter((batch) => batch.includes(hanging))
    .map((batch) => batch.length);
  expect(sizes.slice(-2)).toEqual([1, 1]);
  expect(sizes.slice(0, -2).filter((size) => size === 1)).toEqual([]);
  expect(sizes.length).toBeLessThanOrEqual(3);
  expect([await suspected(), await polling.retrying(), await polling.queued()]).toEqual([[], [], 0]);
});

test('what one run has found out, the next one knows', async () => {
  const ids = await polling.send(10);
  const hanging = ids[4] ?? '';
  const dead = await polling.deadLetters();
  const answer: SlowAnswer = (event) => (idsIn(event).includes(hanging) ? never : done(event));
  const sizes: number[][] = [];
  // Each run is told to stop while its first call hangs.
  while (dead.messages.length === 0) {
    const all = sizes.length === 0 ? { batchQuietMs: 60_000, batchWindowMs: 60_000 } : {};
    const run = polling.poll(answer, { ...SHORT, ...all });
    await run.until(
      () => run.calls.some(({ event }) => idsIn(event).includes(hanging)) || dead.messages.length > 0,
    );
    await run.stop();
    sizes.push(run.calls.map(({ messages }) => messages.length));
    if (sizes.length > 20) break;
  }
  expect(sizes[0]).toEqual([10]);
  expect(new Set(sizes.slice(1).flat())).toEqual(new Set([1]));
  expect(dead.messages.map(({ properties }) => properties.messageId)).toEqual([hanging]);
});

test('an event that takes the poller along counts an attempt, once it was tried by itself', async () => {
  const ids = await polling.send(3);
  const deadly = ids[1] ?? '';
  const handled: string[] = [];
  const dead = await polling.deadLetters();
  const graves: ((outcome: InvokeOutcome) => void)[] = [];
  // A process that ends has its connection closed, and nothing of it goes on.
  while (dead.messages.length === 0) {
    const died = new Promise<void>((die) => {
      polling.poll((event) => {
        if (!idsIn(event).includes(deadly)) {
          handled.push(...idsIn(event));
          return done(event);
        }
        die();
        return new Promise((resolve) => graves.push(resolve));
      });
    });
    await Promise.race([died, dead.atLeast(1)]);
    await polling.proxy.stop();
    await polling.proxy.start();
  }
  expect(dead.messages[0]?.properties).toMatchObject({
    messageId: deadly,
    headers: {
      'rollcall-attempt': 2,
      'rollcall-error': expect.stringContaining('the function did not return'),
    },
  });
  expect([...new Set(handled)].sort()).toEqual(ids.filter((id) => id !== deadly).sort());
  for (const resolve of graves) resolve({ kind: 'unavailable', reason: 'the process has ended' });
});

test('a dead letter that cannot be stored holds up no other', async () => {
  const ids = await polling.send(3);
  const [poison = ''] = ids;
  const stored: string[] = [];
  const storing: SlowAnswer = (event) => {
    if (idsIn(event).includes(poison)) return { kind: 'failed', reason: 'a bug' };
    stored.push(...idsIn(event));
    return done(event);
  };
  const run = polling.poll(
    (event) => ({
      batchItemFailures: idsIn(event).map((itemIdentifier) => ({ itemIdentifier, final: true })),
    }),
    {},
    storing,
  );
  await run.until(() => stored.length === 2);
  const [later = ''] = await polling.send(1);
  await run.until(() => stored.includes(later));
  await run.stop();
  expect(stored.sort()).toEqual([...ids.slice(1), later].sort());
  expect(await polling.queued(DEAD_LETTERS)).toBe(1);
});

test('one that is larger than an event and has failed once is handed over whole again', async () => {
  const queue = queueOf(polling.ctx.config.events, DEAD_LETTERS);
  const large = Buffer.alloc(600_000, 'x');
  for (const [messageId, body] of [
    ['large', large],
    ['small', Buffer.from('{}')],
  ] as const)
    polling.client.channel.sendToQueue(queue, body, { messageId, persistent: true });
  await polling.client.channel.waitForConfirms();
  let failures = 2;
  const stored = new Map<string, number>();
  const run = polling.poll(done, { batchQuietMs: 1_000 }, (event) => {
    // With the other one, and alone.
    if (idsIn(event).includes('large') && failures-- > 0) return { kind: 'failed', reason: 'busy' };
    for (const message of messagesOf(event))
      stored.set(String(message.basicProperties.messageId), Buffer.from(message.data, 'base64').length);
    return done(event);
  });
  await run.until(() => stored.size === 2);
  await run.stop();
  expect(stored.get('large')).toBe(large.length);
});

test.each([1e10, 1.5, -1])(
  'an event that says it is attempt %p is retried as at the first',
  async (attempt) => {
    const bad = userEvent();
    const queue = queueOf(polling.ctx.config.events, 'audit');
    const body = Buffer.from(JSON.stringify(bad));
    const headers = { 'rollcall-attempt': attempt };
    polling.client.channel.sendToQueue(queue, body, { messageId: bad.id, persistent: true, headers });
    await polling.client.channel.waitForConfirms();
    const [good = ''] = await polling.send(1);
    const dead = await polling.deadLetters();
    const run = polling.poll(failing([bad.id]));
    await run.until(() => run.deliveries()[good] === 1);
    await dead.atLeast(1);
    await run.stop();
    expect(dead.messages[0]?.properties.headers).toMatchObject({ 'rollcall-attempt': 2 });
    expect(await polling.queued()).toBe(0);
  },
);
