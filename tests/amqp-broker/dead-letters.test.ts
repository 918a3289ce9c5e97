import { consume, nextMessage, publish, useBroker } from './broker-under-test';

const broker = useBroker();

it('records why a rejected message died, and takes its expiration off', async () => {
  const channel = await broker.confirmChannel();
  const { queue: dead } = await channel.assertQueue('', { exclusive: true });
  const { queue } = await channel.assertQueue('', {
    exclusive: true,
    deadLetterExchange: '',
    deadLetterRoutingKey: dead,
  });
  await publish(channel, '', queue, 'x', { expiration: '60000', headers: { mine: 'kept' }, messageId: 'm' });
  const message = await channel.get(queue);
  if (message) channel.reject(message, false);
  const { content, fields, properties } = await nextMessage(channel, dead);
  expect(content.toString()).toBe('x');
  expect(fields).toMatchObject({ exchange: '', routingKey: dead, redelivered: false });
  expect(properties).toMatchObject({ messageId: 'm', expiration: undefined });
  expect(properties.headers).toEqual({
    mine: 'kept',
    'x-death': [
      {
        count: 1,
        reason: 'rejected',
        queue,
        time: { '!': 'timestamp', value: expect.any(Number) },
        exchange: '',
        'routing-keys': [queue],
        'original-expiration': '60000',
      },
    ],
    'x-first-death-exchange': '',
    'x-first-death-queue': queue,
    'x-first-death-reason': 'rejected',
  });
});

it('keeps the routing key when the queue names none', async () => {
  const channel = await broker.confirmChannel();
  const exchange = broker.exchange('graveyard');
  await channel.assertExchange(exchange, 'topic');
  const { queue: dead } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(dead, exchange, '#');
  const { queue } = await channel.assertQueue('', {
    exclusive: true,
    deadLetterExchange: exchange,
    maxLength: 1,
  });
  await channel.bindQueue(queue, 'amq.topic', 'user.*');
  await publish(channel, 'amq.topic', 'user.created', 'first');
  await publish(channel, 'amq.topic', 'user.updated', 'second');
  const { content, fields, properties } = await nextMessage(channel, dead);
  expect(content.toString()).toBe('first');
  expect(fields).toMatchObject({ exchange, routingKey: 'user.created' });
  expect(properties.headers?.['x-death']).toMatchObject([{ reason: 'maxlen', queue, exchange: 'amq.topic' }]);
});

it('retries through a queue with a TTL, counting the rounds', async () => {
  const channel = await broker.confirmChannel();
  const [work, retry] = [broker.queue('work'), broker.queue('retry')];
  await channel.assertQueue(work, { deadLetterExchange: '', deadLetterRoutingKey: retry });
  await channel.assertQueue(retry, { messageTtl: 20, deadLetterExchange: '', deadLetterRoutingKey: work });
  const inbox = await consume(channel, work);
  await publish(channel, '', work, 'x', { persistent: true });
  for (const round of [1, 2, 3]) {
    const message = (await inbox.atLeast(round)).at(-1);
    if (message) channel.nack(message, false, false);
  }
  const last = (await inbox.atLeast(4)).at(-1);
  expect(last?.properties.headers?.['x-death']).toMatchObject([
    { count: 3, reason: 'expired', queue: retry, 'routing-keys': [retry] },
    { count: 3, reason: 'rejected', queue: work, 'routing-keys': [work] },
  ]);
  expect(last?.properties.headers).toMatchObject({
    'x-first-death-queue': work,
    'x-first-death-reason': 'rejected',
  });
});

it('expires a message after its own time or the queue’s, whichever is shorter', async () => {
  const channel = await broker.confirmChannel();
  const { queue: dead } = await channel.assertQueue('', { exclusive: true });
  const { queue } = await channel.assertQueue('', {
    exclusive: true,
    messageTtl: 60_000,
    deadLetterExchange: '',
    deadLetterRoutingKey: dead,
  });
  await publish(channel, '', queue, 'short', { expiration: '20' });
  await publish(channel, '', queue, 'long');
  expect((await nextMessage(channel, dead)).content.toString()).toBe('short');
  await expect(channel.checkQueue(queue)).resolves.toMatchObject({ messageCount: 1 });
});

it('delivers with a TTL of 0 only what a consumer takes at once', async () => {
  const channel = await broker.confirmChannel();
  const { queue } = await channel.assertQueue('', { exclusive: true, messageTtl: 0 });
  await publish(channel, '', queue, 'nobody is there');
  await expect(channel.checkQueue(queue)).resolves.toMatchObject({ messageCount: 0 });
  const inbox = await consume(channel, queue, { noAck: true });
  // So many that the clock moves on while one of them is being delivered.
  const caught = Array.from({ length: 5_000 }, (_, number) => `caught ${number}`);
  for (const body of caught) await publish(channel, '', queue, body);
  await inbox.atLeast(caught.length);
  expect(inbox.bodies).toEqual(caught);
});

it('ends a cycle in which nobody rejected the message', async () => {
  const channel = await broker.confirmChannel();
  const [first, second] = [broker.queue('cycle-1'), broker.queue('cycle-2')];
  const witness = broker.queue('cycle-witness');
  await channel.assertQueue(first, { messageTtl: 10, deadLetterExchange: '', deadLetterRoutingKey: second });
  await channel.assertQueue(second, { messageTtl: 10, deadLetterExchange: '', deadLetterRoutingKey: first });
  await channel.assertQueue(witness);
  const timer = broker.queue('cycle-timer');
  await channel.assertQueue(timer, {
    messageTtl: 1_000,
    deadLetterExchange: '',
    deadLetterRoutingKey: witness,
  });
  await publish(channel, '', first, 'round and round');
  await publish(channel, '', timer, 'long enough');
  await nextMessage(channel, witness);
  for (const queue of [first, second]) {
    await expect(channel.checkQueue(queue)).resolves.toMatchObject({ messageCount: 0 });
  }
});

it('dead-letters from a quorum queue what came back too often', async () => {
  const channel = await broker.confirmChannel();
  const [queue, dead] = [broker.queue('limited'), broker.queue('limited-dead')];
  await channel.assertQueue(dead);
  await channel.assertQueue(queue, {
    deadLetterExchange: '',
    deadLetterRoutingKey: dead,
    arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 2 },
  });
  const inbox = await consume(channel, queue);
  await publish(channel, '', queue, 'x');
  for (const delivery of [1, 2, 3]) {
    const message = (await inbox.atLeast(delivery)).at(-1);
    if (message) channel.nack(message, false, true);
  }
  const { properties } = await nextMessage(channel, dead);
  expect(properties.headers).toMatchObject({
    'x-first-death-reason': 'delivery_limit',
    'x-first-death-queue': queue,
  });
  expect(inbox.messages).toHaveLength(3);
});
