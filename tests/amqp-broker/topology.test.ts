import type { Channel, Options } from 'amqplib';
import { publish, refusal, useBroker } from './broker-under-test';

const broker = useBroker();

describe('queues', () => {
  it('declares a queue once and finds it again with the same properties', async () => {
    const channel = await broker.channel();
    const queue = broker.queue('same');
    const options = { messageTtl: 60_000, arguments: { note: 'not compared' } };
    await channel.assertQueue(queue, options);
    await expect(channel.assertQueue(queue, { messageTtl: 60_000 })).resolves.toEqual({
      queue,
      messageCount: 0,
      consumerCount: 0,
    });
  });

  it('takes classic for the type of a queue that has none', async () => {
    const channel = await broker.channel();
    const queue = broker.queue('classic');
    await channel.assertQueue(queue);
    await channel.assertQueue(queue, { arguments: { 'x-queue-type': 'classic' } });
  });

  const inequivalent: [string, Options.AssertQueue, string][] = [
    ['durable', { durable: false, messageTtl: 5 }, "received 'false' but current is 'true'"],
    ['auto_delete', { autoDelete: true, messageTtl: 5 }, "received 'true' but current is 'false'"],
    ['x-message-ttl', { messageTtl: 6 }, "received '6' but current is '5'"],
    ['x-message-ttl', {}, "received none but current is the value '5' of type 'byte'"],
    [
      'x-max-length',
      { messageTtl: 5, maxLength: 4 },
      "received the value '4' of type 'byte' but current is none",
    ],
  ];
  it.each(inequivalent)('refuses another %s', async (argument, options, detail) => {
    const channel = await broker.channel();
    const queue = broker.queue('inequivalent');
    await channel.assertQueue(queue, { messageTtl: 5 });
    await expect(channel.assertQueue(queue, options)).rejects.toMatchObject({
      code: 406,
      classId: 50,
      methodId: 10,
      message: expect.stringContaining(
        `PRECONDITION_FAILED - inequivalent arg '${argument}' for queue '${queue}' in vhost '/': ${detail}`,
      ),
    });
  });

  const invalid: [string, Options.AssertQueue, string][] = [
    ['a TTL that is text', { arguments: { 'x-message-ttl': 'soon' } }, '"expected integer, got longstr"'],
    ['a negative TTL', { messageTtl: -1 }, '{value_negative,-1}'],
    ['an x-expires of 0', { expires: 0 }, '{value_zero,0}'],
    ['an unknown overflow', { arguments: { 'x-overflow': 'explode' } }, 'invalid_overflow'],
    ['an unknown type', { arguments: { 'x-queue-type': 'lifo' } }, '"unsupported queue type \'lifo\'"'],
    ['a dead-letter key without exchange', { deadLetterRoutingKey: 'a' }, 'routing_key_but_no_dlx_defined'],
    [
      'a transient quorum queue',
      { durable: false, arguments: { 'x-queue-type': 'quorum' } },
      "'non-durable'",
    ],
    [
      'an exclusive quorum queue',
      { exclusive: true, arguments: { 'x-queue-type': 'quorum' } },
      "'exclusive-owner'",
    ],
  ];
  it.each(invalid)('refuses %s', async (_what, options, detail) => {
    const channel = await broker.channel();
    await expect(channel.assertQueue(broker.queue('invalid'), options)).rejects.toMatchObject({
      code: 406,
      message: expect.stringContaining(detail),
    });
  });

  it('names a queue itself and keeps the amq. prefix for that', async () => {
    const channel = await broker.channel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    expect(queue).toMatch(/^amq\.gen-/);
    await expect(channel.assertQueue('amq.mine')).rejects.toMatchObject({ code: 403 });
  });

  it('counts what it purges and deletes, without what is out for acknowledgement', async () => {
    const channel = await broker.confirmChannel();
    const queue = broker.queue('counts');
    await channel.assertQueue(queue);
    for (const body of ['1', '2', '3']) await publish(channel, '', queue, body);
    await channel.get(queue);
    await expect(channel.checkQueue(queue)).resolves.toMatchObject({ messageCount: 2, consumerCount: 0 });
    await expect(channel.purgeQueue(queue)).resolves.toEqual({ messageCount: 2 });
    await publish(channel, '', queue, '4');
    await expect(channel.deleteQueue(queue)).resolves.toEqual({ messageCount: 1 });
    await expect(channel.deleteQueue(queue)).resolves.toEqual({ messageCount: 0 });
  });

  it('deletes only an empty and unused queue when asked to', async () => {
    const queue = broker.queue('conditions');
    const filling = await broker.confirmChannel();
    await filling.assertQueue(queue);
    await publish(filling, '', queue, 'x');
    await expect(filling.deleteQueue(queue, { ifEmpty: true })).rejects.toMatchObject({
      code: 406,
      message: expect.stringContaining('not empty'),
    });
    const using = await broker.channel();
    await using.consume(queue, () => undefined);
    await expect(using.deleteQueue(queue, { ifUnused: true })).rejects.toMatchObject({
      code: 406,
      message: expect.stringContaining('in use'),
    });
  });

  it('keeps an exclusive queue to its connection, and deletes it with that', async () => {
    const owner = await broker.connect();
    const { queue } = await (await owner.createChannel()).assertQueue(broker.queue('exclusive'), {
      exclusive: true,
    });
    const other = await broker.channel();
    await expect(other.consume(queue, () => undefined)).rejects.toMatchObject({ code: 405 });
    await owner.close();
    await expect((await broker.channel()).checkQueue(queue)).rejects.toMatchObject({ code: 404 });
  });

  it('deletes an auto-delete queue with its last consumer', async () => {
    const channel = await broker.channel();
    const queue = broker.queue('auto-delete');
    await channel.assertQueue(queue, { autoDelete: true });
    const { consumerTag } = await channel.consume(queue, () => undefined);
    await channel.cancel(consumerTag);
    await expect(channel.checkQueue(queue)).rejects.toMatchObject({ code: 404 });
  });

  it('deletes a queue that nobody used for its x-expires', async () => {
    const watching = await broker.channel();
    const queue = broker.queue('expires');
    const dead = broker.queue('expires-witness');
    await watching.assertQueue(dead);
    // The witness holds a message for longer than the queue may live unused.
    const timer = broker.queue('expires-timer');
    await watching.assertQueue(timer, {
      messageTtl: 1_000,
      deadLetterExchange: '',
      deadLetterRoutingKey: dead,
    });
    await watching.assertQueue(queue, { expires: 50 });
    watching.sendToQueue(timer, Buffer.from('later'));
    await new Promise<void>((resolve) => void watching.consume(dead, () => resolve(), { noAck: true }));
    await expect(watching.checkQueue(queue)).rejects.toMatchObject({ code: 404 });
  });
});

describe('exchanges', () => {
  it('refuses to declare one again as something else', async () => {
    const exchange = broker.exchange('inequivalent');
    const channel = await broker.channel();
    await channel.assertExchange(exchange, 'topic');
    await channel.assertExchange(exchange, 'topic');
    await expect(channel.assertExchange(exchange, 'fanout')).rejects.toMatchObject({
      code: 406,
      classId: 40,
      methodId: 10,
      message: expect.stringContaining(
        `inequivalent arg 'type' for exchange '${exchange}' in vhost '/': received 'fanout' but current is 'topic'`,
      ),
    });
  });

  const refused: [string, number, (channel: Channel) => Promise<unknown>][] = [
    ['a reserved name', 403, (channel) => channel.assertExchange('amq.mine', 'topic')],
    ['another amq.topic', 406, (channel) => channel.assertExchange('amq.topic', 'direct')],
    ['deleting amq.topic', 403, (channel) => channel.deleteExchange('amq.topic')],
    ['declaring the default exchange', 403, (channel) => channel.assertExchange('', 'direct')],
    ['deleting the default exchange', 403, (channel) => channel.deleteExchange('')],
    ['checking one that is not there', 404, (channel) => channel.checkExchange('no-such-exchange')],
    [
      'binding a queue that is not there',
      404,
      (channel) => channel.bindQueue('no-such-queue', 'amq.topic', '#'),
    ],
    ['checking a queue that is not there', 404, (channel) => channel.checkQueue('no-such-queue')],
    [
      'consuming a queue that is not there',
      404,
      (channel) => channel.consume('no-such-queue', () => undefined),
    ],
  ];
  it.each(refused)('refuses %s', async (_what, code, step) => {
    await expect(step(await broker.channel())).rejects.toMatchObject({ code });
  });

  it('refuses to bind to the default exchange or one that is not there', async () => {
    for (const [exchange, code] of [
      ['', 403],
      ['no-such-exchange', 404],
    ] as const) {
      const channel = await broker.channel();
      const { queue } = await channel.assertQueue('', { exclusive: true });
      await expect(channel.bindQueue(queue, exchange, 'key')).rejects.toMatchObject({ code });
    }
  });

  it('deletes only an unused one when asked to, and an absent one without complaint', async () => {
    const exchange = broker.exchange('unused');
    const channel = await broker.channel();
    await channel.assertExchange(exchange, 'topic');
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.bindQueue(queue, exchange, '#');
    await expect(channel.deleteExchange(exchange, { ifUnused: true })).rejects.toMatchObject({ code: 406 });
    const other = await broker.channel();
    await other.deleteExchange(exchange);
    await other.deleteExchange(exchange);
  });

  it('deletes an auto-delete exchange with its last binding', async () => {
    const exchange = broker.exchange('auto-delete');
    const channel = await broker.channel();
    await channel.assertExchange(exchange, 'topic', { autoDelete: true });
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.bindQueue(queue, exchange, 'a');
    await channel.unbindQueue(queue, exchange, 'a');
    await expect(channel.checkExchange(exchange)).rejects.toMatchObject({ code: 404 });
  });

  it('takes no messages for an internal exchange, or one that is not there', async () => {
    const exchange = broker.exchange('internal');
    const channel = await broker.channel();
    await channel.assertExchange(exchange, 'fanout', { internal: true });
    const refused = refusal(channel);
    channel.publish(exchange, '', Buffer.from('x'));
    await expect(refused).resolves.toMatchObject({ code: 403, classId: 60, methodId: 40 });
    const other = await broker.channel();
    const absent = refusal(other);
    other.publish('no-such-exchange', '', Buffer.from('x'));
    await expect(absent).resolves.toMatchObject({ code: 404, classId: 60, methodId: 40 });
  });

  it('closes the connection over an unknown exchange type', async () => {
    const model = await broker.connect();
    const channel = await model.createChannel();
    channel.on('error', () => undefined);
    const refused = refusal(model);
    channel.assertExchange(broker.exchange('unknown-type'), 'lottery').catch(() => undefined);
    await expect(refused).resolves.toMatchObject({ code: 503 });
  });
});
