import { randomBytes } from 'node:crypto';
import { nextMessage, publish, refusal, useBroker } from './broker-under-test';

const broker = useBroker();

it('hands on every property and header as it came', async () => {
  const channel = await broker.confirmChannel();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  const headers = {
    text: 'grüße',
    int: 5,
    big: 2 ** 40,
    float: 1.5,
    yes: true,
    nothing: null,
    list: [1, 'two', { three: 3 }],
    nested: { deep: { deeper: 'still' } },
    when: { '!': 'timestamp', value: 1_700_000_000 },
    price: { '!': 'decimal', value: { digits: 995, places: 2 } },
    bytes: Buffer.from([0, 255, 1]),
  };
  const properties = {
    contentType: 'application/json',
    contentEncoding: 'utf-8',
    deliveryMode: 2,
    priority: 3,
    correlationId: 'c',
    replyTo: 'r',
    messageId: 'm',
    timestamp: 1_700_000_000,
    type: 't',
    appId: 'a',
    userId: 'guest',
  };
  await publish(channel, '', queue, 'body', { ...properties, headers });
  const message = await nextMessage(channel, queue);
  expect(message.content.toString()).toBe('body');
  expect(message.properties).toMatchObject(properties);
  expect(message.properties.headers).toEqual(headers);
});

it('carries a body over many frames unchanged', async () => {
  const channel = await broker.confirmChannel();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  const body = randomBytes(1_000_003);
  channel.sendToQueue(queue, body);
  await channel.waitForConfirms();
  const { content } = await nextMessage(channel, queue);
  expect(content.equals(body)).toBe(true);
});

it('returns an unroutable mandatory message before it confirms it', async () => {
  const channel = await broker.confirmChannel();
  const events: unknown[] = [];
  channel.on('return', ({ fields, properties, content }) => {
    events.push({ ...fields, messageId: properties.messageId, body: content.toString() });
  });
  await publish(channel, 'amq.topic', 'nobody', 'lost', { mandatory: true, messageId: 'm1' });
  events.push('confirmed');
  expect(events).toEqual([
    {
      replyCode: 312,
      replyText: 'NO_ROUTE',
      exchange: 'amq.topic',
      routingKey: 'nobody',
      messageId: 'm1',
      body: 'lost',
    },
    'confirmed',
  ]);
});

it('confirms an unroutable message that is not mandatory', async () => {
  await expect(publish(await broker.confirmChannel(), 'amq.topic', 'nobody', 'x')).resolves.toBe(true);
});

it('confirms many messages, each once', async () => {
  const channel = await broker.confirmChannel();
  const queue = broker.queue('many');
  await channel.assertQueue(queue);
  const outcomes = await Promise.all(
    Array.from({ length: 2000 }, (_, index) =>
      publish(channel, '', queue, String(index), { persistent: true }),
    ),
  );
  expect(outcomes).toEqual(outcomes.map(() => true));
  await expect(channel.checkQueue(queue)).resolves.toMatchObject({ messageCount: 2000 });
});

it('refuses to confirm what a full queue rejects', async () => {
  const channel = await broker.confirmChannel();
  const { queue } = await channel.assertQueue('', {
    exclusive: true,
    maxLength: 2,
    arguments: { 'x-overflow': 'reject-publish' },
  });
  const outcomes = await Promise.all(['1', '2', '3', '4'].map((body) => publish(channel, '', queue, body)));
  expect(outcomes).toEqual([true, true, false, false]);
  await channel.get(queue, { noAck: true });
  await expect(publish(channel, '', queue, '5')).resolves.toBe(true);
});

it('drops the oldest of a full queue by default, by number or by size', async () => {
  const channel = await broker.confirmChannel();
  for (const limit of [{ 'x-max-length': 2 }, { 'x-max-length-bytes': 10 }]) {
    const { queue } = await channel.assertQueue('', { exclusive: true, arguments: limit });
    for (const body of ['one..', 'two..', 'three']) await publish(channel, '', queue, body);
    await expect(channel.get(queue, { noAck: true })).resolves.toMatchObject({
      content: Buffer.from('two..'),
    });
    await expect(channel.get(queue, { noAck: true })).resolves.toMatchObject({
      content: Buffer.from('three'),
    });
  }
});

it.each([
  ['an expiration that is no number', { expiration: 'soon' }, "invalid expiration 'soon'"],
  ['a negative expiration', { expiration: '-1' }, "invalid expiration '-1'"],
  ['the name of another user', { userId: 'someone' }, "user_id property set to 'someone'"],
])('refuses %s', async (_what, options, text) => {
  const channel = await broker.channel();
  const refused = refusal(channel);
  channel.publish('amq.topic', 'key', Buffer.from('x'), options);
  await expect(refused).resolves.toMatchObject({
    code: 406,
    classId: 60,
    methodId: 40,
    message: expect.stringContaining(text),
  });
});
