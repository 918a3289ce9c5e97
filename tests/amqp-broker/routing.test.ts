import type { ConfirmChannel } from 'amqplib';
import { publish, useBroker } from './broker-under-test';

const broker = useBroker();

/** Which of the keys reach a queue bound by the pattern. */
async function reached(channel: ConfirmChannel, pattern: string, keys: readonly string[]): Promise<string[]> {
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, 'amq.topic', pattern);
  const found: string[] = [];
  for (const key of keys) {
    await publish(channel, 'amq.topic', key, key);
    if (await channel.get(queue, { noAck: true })) found.push(key);
  }
  return found;
}

const KEYS = ['', 'a', 'b', 'a.b', 'a.b.c', 'a.b.c.d', 'a..b', '.', '#', '*'];
const PATTERNS: [string, string[]][] = [
  ['#', KEYS],
  ['', ['']],
  ['*', ['a', 'b', '#', '*']],
  ['a.#', ['a', 'a.b', 'a.b.c', 'a.b.c.d', 'a..b']],
  ['*.b', ['a.b']],
  ['a.*.c', ['a.b.c']],
  ['#.b.#', ['b', 'a.b', 'a.b.c', 'a.b.c.d', 'a..b']],
  ['*.#', ['a', 'b', 'a.b', 'a.b.c', 'a.b.c.d', 'a..b', '.', '#', '*']],
  ['a.#.#.d', ['a.b.c.d']],
  ['a..b', ['a..b']],
];

it.each(PATTERNS)('routes by the topic pattern "%s"', async (pattern, expected) => {
  expect(await reached(await broker.confirmChannel(), pattern, KEYS)).toEqual(expected);
});

const HEADERS: [object, object, boolean][] = [
  [{ 'x-match': 'all', a: 1, b: 2 }, { a: 1 }, false],
  [{ 'x-match': 'all', a: 1, b: 2 }, { a: 1, b: 2, c: 3 }, true],
  [{ 'x-match': 'any', a: 1, b: 2 }, { b: 2 }, true],
  [{ 'x-match': 'any' }, { a: 1 }, false],
  [{ a: 1 }, { a: '1' }, false],
  [{ a: 1 }, { a: { '!': 'int64', value: 1 } }, true],
  [{ a: 1 }, { a: { '!': 'double', value: 1 } }, true],
  [{ a: { '!': 'double', value: 1 } }, { a: 1 }, true],
  [{ a: { '!': 'double', value: 1 } }, { a: 2 }, false],
  [{ a: { '!': 'timestamp', value: 1 } }, { a: 1 }, true],
  [{ a: 1 }, { a: true }, false],
  [{ a: { b: 1 } }, { a: { b: { '!': 'double', value: 1 } } }, false],
  [{ a: { b: 1, c: 2 } }, { a: { c: 2, b: 1 } }, false],
  [{ a: [1, 'x'] }, { a: [1, 'x'] }, true],
  [{ a: null }, { a: 'anything' }, true],
  [{ 'x-other': 1 }, {}, true],
  [{ 'x-match': 'all-with-x', 'x-other': 1 }, {}, false],
];
it.each(HEADERS)('routes by headers: binding %j, message %j', async (binding, headers, expected) => {
  const channel = await broker.confirmChannel();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, 'amq.headers', '', binding);
  await publish(channel, 'amq.headers', '', 'x', { headers });
  expect(Boolean(await channel.get(queue))).toBe(expected);
});

it('refuses a headers binding that asks for neither all nor any', async () => {
  const channel = await broker.channel();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await expect(channel.bindQueue(queue, 'amq.headers', '', { 'x-match': 'some' })).rejects.toMatchObject({
    code: 406,
  });
});

it('routes over exchange bindings, to each queue once, and not in circles', async () => {
  const channel = await broker.confirmChannel();
  const [first, second] = [broker.exchange('first'), broker.exchange('second')];
  await channel.assertExchange(first, 'direct');
  await channel.assertExchange(second, 'fanout');
  await channel.bindExchange(second, first, 'key');
  await channel.bindExchange(first, second, '');
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, first, 'key');
  await channel.bindQueue(queue, second, '');
  await publish(channel, first, 'key', 'x');
  await expect(channel.checkQueue(queue)).resolves.toMatchObject({ messageCount: 1 });
  await channel.unbindExchange(first, second, '');
  await channel.unbindExchange(second, first, 'key');
});

it('sends what no binding takes to the alternate exchange, and does not return it', async () => {
  const channel = await broker.confirmChannel();
  const [main, rest] = [broker.exchange('main'), broker.exchange('rest')];
  await channel.assertExchange(rest, 'fanout');
  await channel.assertExchange(main, 'topic', { alternateExchange: rest });
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, rest, '');
  const returned: unknown[] = [];
  channel.on('return', (message) => returned.push(message));
  await publish(channel, main, 'nobody.listens', 'x', { mandatory: true });
  await expect(channel.get(queue)).resolves.toMatchObject({ fields: { exchange: main } });
  expect(returned).toEqual([]);
});
