import type { Channel, Options } from 'amqplib';
import { publish, refusal, useBroker } from './broker-under-test';

const broker = useBroker();
const NOTHING = 'no-such-thing';
const double = (value: number) => ({ '!': 'double', value });

describe('arguments of a queue', () => {
  const ofAnotherType: ['classic' | 'quorum', string, unknown][] = [
    ['quorum', 'x-max-priority', 5],
    ['quorum', 'x-queue-mode', 'lazy'],
    ['quorum', 'x-queue-version', 2],
    ['quorum', 'x-queue-master-locator', 'client-local'],
    ['quorum', 'x-max-age', '1D'],
    ['classic', 'x-dead-letter-strategy', 'at-most-once'],
    ['classic', 'x-quorum-initial-group-size', 1],
    ['classic', 'x-max-in-memory-length', 1],
    ['classic', 'x-max-in-memory-bytes', 1],
    ['classic', 'x-delivery-limit', 5],
    ['classic', 'x-stream-max-segment-size-bytes', 1000],
  ];
  it.each(ofAnotherType)('refuses of a %s queue %s', async (type, name, value) => {
    const channel = await broker.channel();
    const args = { 'x-queue-type': type, [name]: value };
    await expect(channel.assertQueue(broker.queue('typed'), { arguments: args })).rejects.toMatchObject({
      code: 406,
      message: expect.stringMatching(
        new RegExp(`invalid arg '${name}' for .* of queue type rabbit_${type}_queue`),
      ),
    });
  });

  const badValues: ['classic' | 'quorum', string, unknown, string][] = [
    ['classic', 'x-max-priority', -1, '{value_negative,-1}'],
    ['classic', 'x-max-priority', 256, '{max_value_exceeded,256}'],
    ['classic', 'x-max-priority', double(5), '"expected integer, got double"'],
    ['classic', 'x-queue-mode', 'other', `"unsupported queue mode 'other'"`],
    ['classic', 'x-queue-mode', 1, '{unacceptable_type,byte}'],
    ['classic', 'x-queue-version', 3, `"unsupported queue version '3'"`],
    ['classic', 'x-queue-version', '1', '"expected integer, got longstr"'],
    ['classic', 'x-message-ttl', 315_360_000_001, '{value_too_large,315360000001}'],
    ['classic', 'x-message-ttl', { '!': 'timestamp', value: 5 }, '"expected integer, got timestamp"'],
    ['classic', 'x-max-length', double(1.5), '"expected integer, got double"'],
    ['classic', 'x-single-active-consumer', 'true', '{unacceptable_type,longstr}'],
    ['classic', 'x-dead-letter-exchange', 1, "invalid type 'byte' for arg 'x-dead-letter-exchange'"],
    ['quorum', 'x-dead-letter-strategy', 'other', 'invalid_dlx_strategy'],
    ['quorum', 'x-quorum-initial-group-size', 0, '{value_zero,0}'],
    ['quorum', 'x-max-in-memory-length', -1, '{value_negative,-1}'],
    ['quorum', 'x-queue-leader-locator', 'bogus', 'invalid_queue_locator_arg'],
  ];
  it.each(badValues)('refuses of a %s queue %s = %j', async (type, name, value, detail) => {
    const channel = await broker.channel();
    const args = { 'x-queue-type': type, [name]: value };
    await expect(channel.assertQueue(broker.queue('valued'), { arguments: args })).rejects.toMatchObject({
      code: 406,
      message: expect.stringContaining(detail),
    });
  });

  it.each([2 ** 32, 315_360_000_000])('takes a TTL and an expiry of %i ms', async (ms) => {
    const channel = await broker.confirmChannel();
    const queue = broker.queue(`long-${ms}`);
    await channel.assertQueue(queue, { messageTtl: ms, expires: ms });
    expect(await publish(channel, '', queue, 'kept', { expiration: String(ms) })).toBe(true);
    await expect(channel.get(queue, { noAck: true })).resolves.toMatchObject({
      content: Buffer.from('kept'),
    });
  });

  it.each(['315360000001', '5 ', '1.5', '0x10'])('refuses the expiration %j', async (expiration) => {
    const channel = await broker.channel();
    const refused = refusal(channel);
    channel.sendToQueue('anywhere', Buffer.from('x'), { expiration });
    await expect(refused).resolves.toMatchObject({ code: 406 });
  });

  const flags: [string, Options.AssertQueue][] = [
    ['non-durable', { durable: false }],
    ['exclusive-owner', { exclusive: true }],
    ['auto-delete', { autoDelete: true }],
    ['auto-delete', { autoDelete: true, exclusive: true, durable: false }],
  ];
  it.each(flags)('refuses a quorum queue for %s with %j', async (property, options) => {
    const channel = await broker.channel();
    const quorum = { ...options, arguments: { 'x-queue-type': 'quorum' } };
    await expect(channel.assertQueue(broker.queue('flags'), quorum)).rejects.toMatchObject({
      code: 406,
      message: expect.stringContaining(`invalid property '${property}'`),
    });
  });

  const inequivalent: ['classic' | 'quorum', string, unknown, unknown][] = [
    ['classic', 'x-max-priority', 5, 6],
    ['classic', 'x-max-priority', undefined, 6],
    ['classic', 'x-max-priority', undefined, -1],
    ['classic', 'x-queue-mode', 'lazy', 'default'],
    ['classic', 'x-queue-mode', undefined, 'default'],
    ['classic', 'x-queue-version', 1, 2],
    ['classic', 'x-queue-version', 2, undefined],
    ['classic', 'x-message-ttl', 5, double(5)],
    ['quorum', 'x-quorum-initial-group-size', 1, 3],
    ['quorum', 'x-max-in-memory-length', undefined, 3],
    ['quorum', 'x-dead-letter-strategy', 'at-most-once', 'at-least-once'],
    ['quorum', 'x-queue-leader-locator', 'client-local', 'balanced'],
  ];
  it.each(inequivalent)(
    'refuses of a %s queue another %s: %j, then %j',
    async (type, name, first, second) => {
      const channel = await broker.channel();
      const queue = broker.queue(`other-${name}-${String(first)}-${JSON.stringify(second)}`);
      const args = (value: unknown) => ({
        arguments: { 'x-queue-type': type, ...(value === undefined ? {} : { [name]: value }) },
      });
      await channel.assertQueue(queue, args(first));
      await expect(channel.assertQueue(queue, args(second))).rejects.toMatchObject({
        code: 406,
        message: expect.stringContaining(`inequivalent arg '${name}'`),
      });
    },
  );

  it('refuses a consumer priority that is no integer, and the offset of a stream', async () => {
    const queue = broker.queue('consume-arguments');
    await (await broker.channel()).assertQueue(queue);
    for (const args of [{ 'x-priority': 'high' }, { 'x-stream-offset': 'first' }]) {
      const channel = await broker.channel();
      await expect(channel.consume(queue, () => undefined, { arguments: args })).rejects.toMatchObject({
        code: 406,
      });
    }
  });
});

it.each([[1], [true], [['a']]])('refuses the alternate exchange %j', async (alternate) => {
  const channel = await broker.channel();
  const args = { 'alternate-exchange': alternate };
  const declared = channel.assertExchange(broker.exchange('alternate'), 'fanout', { arguments: args });
  await expect(declared).rejects.toMatchObject({
    code: 406,
    message: expect.stringContaining("for arg 'alternate-exchange' in exchange"),
  });
});

it('refuses an x-match that is no text, for headers exchanges only', async () => {
  const channel = await broker.channel();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, 'amq.direct', 'key', { 'x-match': 'some' });
  const bound = channel.bindQueue(queue, 'amq.headers', '', { 'x-match': 1 });
  await expect(bound).rejects.toMatchObject({ code: 406 });
});

describe('what is not there', () => {
  const removals: [string, (channel: Channel) => Promise<unknown>][] = [
    ['a binding of two absent exchanges', (channel) => channel.unbindExchange(NOTHING, 'no-source', 'key')],
    ['a binding to an absent exchange', (channel) => channel.unbindExchange(NOTHING, 'amq.direct', 'key')],
    ['a binding from an absent exchange', (channel) => channel.unbindExchange('amq.direct', NOTHING, 'key')],
    [
      'an absent binding of exchanges',
      (channel) => channel.unbindExchange('amq.direct', 'amq.topic', NOTHING),
    ],
    ['a binding of an absent queue', (channel) => channel.unbindQueue(NOTHING, 'amq.direct', 'key')],
    ['a queue', (channel) => channel.deleteQueue(NOTHING)],
    [
      'a queue if unused and empty',
      (channel) => channel.deleteQueue(NOTHING, { ifUnused: true, ifEmpty: true }),
    ],
    ['an exchange', (channel) => channel.deleteExchange(NOTHING)],
    ['an exchange if unused', (channel) => channel.deleteExchange(NOTHING, { ifUnused: true })],
    ['a consumer', (channel) => channel.cancel(NOTHING)],
  ];
  it.each(removals)('is removed without complaint: %s', async (_what, remove) => {
    await expect(remove(await broker.channel())).resolves.toBeDefined();
  });

  it("unbinds another connection's exclusive queue only where nothing is bound", async () => {
    const owner = await broker.channel();
    const { queue } = await owner.assertQueue('', { exclusive: true });
    await owner.bindQueue(queue, 'amq.direct', queue);
    const other = await broker.channel();
    await other.unbindQueue(queue, 'amq.direct', NOTHING);
    await expect(other.unbindQueue(queue, 'amq.direct', queue)).rejects.toMatchObject({ code: 405 });
  });
});

it('takes line breaks out of names that are declared, bound and deleted', async () => {
  const channel = await broker.confirmChannel();
  const queue = broker.queue('lines');
  const exchange = broker.exchange('lines');
  const broken = (name: string) => `${name.slice(0, 5)}\r\n${name.slice(5)}`;
  await expect(channel.assertQueue(broken(queue))).resolves.toMatchObject({ queue });
  await channel.assertExchange(broken(exchange), 'direct');
  await channel.checkExchange(exchange);
  await channel.bindQueue(broken(queue), broken(exchange), 'key');
  await publish(channel, exchange, 'key', 'x');
  await expect(channel.checkQueue(queue)).resolves.toMatchObject({ messageCount: 1 });
  await channel.unbindQueue(broken(queue), broken(exchange), 'key');
  await channel.deleteExchange(broken(exchange));
  await expect(channel.deleteQueue(broken(queue))).resolves.toEqual({ messageCount: 1 });
  await expect(channel.consume(broken(queue), () => undefined)).rejects.toMatchObject({ code: 404 });
});
