import type { ConfirmChannel } from 'amqplib';
import { consume, Inbox, publish, refusal, useBroker } from './broker-under-test';

const broker = useBroker();

async function filledQueue(channel: ConfirmChannel, bodies: readonly string[]): Promise<string> {
  const { queue } = await channel.assertQueue('', { exclusive: true });
  for (const body of bodies) await publish(channel, '', queue, body);
  return queue;
}

describe('acknowledging', () => {
  it('puts messages back to where they were, marked as redelivered', async () => {
    const channel = await broker.confirmChannel();
    const queue = await filledQueue(channel, ['1', '2', '3', '4']);
    const inbox = await consume(channel, queue);
    const [first, second, third] = await inbox.atLeast(4);
    await channel.cancel(inbox.tag);
    if (!first || !second || !third) throw new Error('nothing came');
    channel.ack(second);
    channel.nack(third, false, true);
    channel.nack(first, false, true);
    const again = await consume(channel, queue, { noAck: true });
    expect(
      (await again.atLeast(2)).map(({ content, fields }) => [String(content), fields.redelivered]),
    ).toEqual([
      ['1', true],
      ['3', true],
    ]);
  });

  it('acknowledges up to a tag, and all with no tag', async () => {
    const channel = await broker.confirmChannel();
    const queue = await filledQueue(channel, ['1', '2', '3', '4', '5']);
    const inbox = await consume(channel, queue);
    const messages = await inbox.atLeast(5);
    await channel.cancel(inbox.tag);
    const [, second, , fourth] = messages;
    if (!second || !fourth) throw new Error('nothing came');
    channel.ack(second, true);
    channel.nack(fourth, true, true);
    const again = await consume(channel, queue);
    await again.atLeast(2);
    expect(again.bodies).toEqual(['3', '4']);
    channel.ackAll();
    await channel.recover();
    await expect(channel.deleteQueue(queue)).resolves.toEqual({ messageCount: 0 });
  });

  it('gives everything back on recover', async () => {
    const channel = await broker.confirmChannel();
    const queue = await filledQueue(channel, ['1', '2']);
    await channel.get(queue);
    await channel.get(queue);
    await channel.recover();
    await expect(channel.get(queue)).resolves.toMatchObject({
      content: Buffer.from('1'),
      fields: { redelivered: true, messageCount: 1 },
    });
  });

  it('gives everything back when the connection breaks', async () => {
    const model = await broker.connect();
    const holding = await model.createChannel();
    const channel = await broker.confirmChannel();
    const queue = broker.queue('broken');
    await channel.assertQueue(queue);
    for (const body of ['1', '2']) await publish(channel, '', queue, body);
    const inbox = await consume(holding, queue);
    await inbox.atLeast(2);
    await model.close();
    const again = await consume(channel, queue);
    await again.atLeast(2);
    expect(again.bodies).toEqual(['1', '2']);
  });

  it.each(['ack', 'nack', 'reject'] as const)(
    'closes the channel over %s of an unknown tag',
    async (method) => {
      const channel = await broker.confirmChannel();
      const queue = await filledQueue(channel, ['1']);
      const message = await channel.get(queue);
      if (!message) throw new Error('no message');
      const refused = refusal(channel);
      channel[method](message);
      channel[method](message);
      await expect(refused).resolves.toMatchObject({
        code: 406,
        classId: 60,
        message: expect.stringContaining('PRECONDITION_FAILED - unknown delivery tag 1'),
      });
    },
  );
});

describe('prefetch', () => {
  it('limits each consumer of a channel', async () => {
    const channel = await broker.confirmChannel();
    const queue = await filledQueue(channel, ['1', '2', '3', '4', '5']);
    await channel.prefetch(2);
    const inbox = await consume(channel, queue);
    const [first] = await inbox.atLeast(2);
    await expect(channel.checkQueue(queue)).resolves.toMatchObject({ messageCount: 3 });
    if (first) channel.ack(first);
    await inbox.atLeast(3);
    await expect(channel.checkQueue(queue)).resolves.toMatchObject({ messageCount: 2 });
  });

  it('limits all consumers of a channel together when global', async () => {
    const channel = await broker.confirmChannel();
    const queues = [await filledQueue(channel, ['1', '2']), await filledQueue(channel, ['3', '4'])];
    await channel.prefetch(3, true);
    const inbox = new Inbox();
    for (const queue of queues) await channel.consume(queue, (message) => inbox.add(message));
    await inbox.atLeast(3);
    const left = async () => {
      const counts = await Promise.all(queues.map((queue) => channel.checkQueue(queue)));
      return counts.reduce((sum, { messageCount }) => sum + messageCount, 0);
    };
    expect(await left()).toBe(1);
    channel.ackAll();
    await inbox.atLeast(4);
    expect(await left()).toBe(0);
  });

  it('deals messages out in turn', async () => {
    const channel = await broker.confirmChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    const inboxes = [await consume(channel, queue), await consume(channel, queue)];
    for (const body of ['1', '2', '3', '4']) await publish(channel, '', queue, body);
    for (const inbox of inboxes) await inbox.atLeast(2);
    expect(inboxes.map(({ bodies }) => bodies)).toEqual(
      expect.arrayContaining([
        ['1', '3'],
        ['2', '4'],
      ]),
    );
  });
});

describe('consumers', () => {
  it('tells a consumer that its queue was deleted', async () => {
    const channel = await broker.channel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    const cancelled = new Promise((resolve) => void channel.consume(queue, resolve));
    await channel.checkQueue(queue);
    await channel.deleteQueue(queue);
    await expect(cancelled).resolves.toBeNull();
  });

  it('lets one consumer have a queue to itself', async () => {
    const channel = await broker.channel();
    const queue = broker.queue('exclusive-consumer');
    await channel.assertQueue(queue);
    await channel.consume(queue, () => undefined, { exclusive: true });
    await expect((await broker.channel()).consume(queue, () => undefined)).rejects.toMatchObject({
      code: 403,
      message: expect.stringContaining(`ACCESS_REFUSED - queue '${queue}' in vhost '/' in exclusive use`),
    });
  });

  it('closes the connection over a consumer tag that is taken', async () => {
    const model = await broker.connect();
    const channel = await model.createChannel();
    channel.on('error', () => undefined);
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.consume(queue, () => undefined, { consumerTag: 'mine' });
    const refused = refusal(model);
    channel.consume(queue, () => undefined, { consumerTag: 'mine' }).catch(() => undefined);
    await expect(refused).resolves.toMatchObject({ code: 530 });
  });
});

describe('single active consumer', () => {
  it('serves one consumer, and hands its messages to the next in their order', async () => {
    const publisher = await broker.confirmChannel();
    const queue = broker.queue('single');
    await publisher.assertQueue(queue, { arguments: { 'x-single-active-consumer': true } });
    const inbox = new Inbox();
    const channels = [];
    for (const name of ['a', 'b', 'c']) {
      const channel = await broker.channel();
      await channel.prefetch(2);
      await channel.consume(queue, (message) => {
        if (message) message.properties.appId = name;
        inbox.add(message);
      });
      channels.push(channel);
    }
    for (const body of ['1', '2', '3', '4', '5']) await publish(publisher, '', queue, body);
    const [first] = await inbox.atLeast(2);
    // The first of two is done; the second goes back before the third when its consumer leaves.
    if (first) channels[0]?.ack(first);
    await inbox.atLeast(3);
    await channels[0]?.close();
    await inbox.atLeast(5);
    channels[1]?.ackAll();
    await inbox.atLeast(7);
    await channels[1]?.close();
    await inbox.atLeast(9);
    const seen = inbox.messages.map(
      ({ properties, content, fields }) =>
        `${properties.appId}${content}${fields.redelivered ? ' again' : ''}`,
    );
    expect(seen).toEqual(['a1', 'a2', 'a3', 'b2 again', 'b3 again', 'b4', 'b5', 'c4 again', 'c5 again']);
  });

  it('has no exclusive consumers', async () => {
    const channel = await broker.channel();
    const { queue } = await channel.assertQueue('', {
      exclusive: true,
      arguments: { 'x-single-active-consumer': true },
    });
    await expect(channel.consume(queue, () => undefined, { exclusive: true })).rejects.toMatchObject({
      code: 403,
    });
  });
});
