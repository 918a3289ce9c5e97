import { consume, nextMessage, refusal, useBroker } from './broker-under-test';

const broker = useBroker();
const REPLY_TO = 'amq.rabbitmq.reply-to';

it('carries a reply to the channel that asked, and to no other', async () => {
  const [asking, other, server] = [await broker.channel(), await broker.channel(), await broker.channel()];
  const { queue } = await server.assertQueue('', { exclusive: true });
  const replies = await consume(asking, REPLY_TO, { noAck: true });
  const others = await consume(other, REPLY_TO, { noAck: true });
  const headers = { kept: 'as it was' };
  asking.sendToQueue(queue, Buffer.from('question'), { replyTo: REPLY_TO, correlationId: '7', headers });
  const { properties } = await nextMessage(server, queue);
  expect(properties).toMatchObject({ correlationId: '7', headers });
  expect(properties.replyTo.startsWith(`${REPLY_TO}.`)).toBe(true);
  const found = { queue: properties.replyTo, messageCount: 0, consumerCount: 1 };
  await expect(server.checkQueue(properties.replyTo)).resolves.toEqual(found);
  server.sendToQueue(properties.replyTo, Buffer.from('answer'), { correlationId: '7' });
  const [answer] = await replies.atLeast(1);
  expect(answer?.content.toString()).toBe('answer');
  expect(answer?.fields).toMatchObject({ consumerTag: replies.tag, exchange: '', redelivered: false });
  expect(others.messages).toEqual([]);
});

it('returns a mandatory reply to a channel that no longer waits, and knows its name no more', async () => {
  const [asking, server] = [await broker.channel(), await broker.channel()];
  const { queue } = await server.assertQueue('', { exclusive: true });
  const { tag } = await consume(asking, REPLY_TO, { noAck: true });
  asking.sendToQueue(queue, Buffer.from('question'), { replyTo: REPLY_TO });
  const { properties } = await nextMessage(server, queue);
  await asking.cancel(tag);
  const returned = new Promise((resolve) => server.once('return', resolve));
  server.sendToQueue(properties.replyTo, Buffer.from('answer'), { mandatory: true });
  await expect(returned).resolves.toMatchObject({ fields: { replyText: 'NO_ROUTE' } });
  await asking.close();
  await expect(server.checkQueue(properties.replyTo)).rejects.toMatchObject({ code: 404 });
});

it('waits again after a cancel, and answers a declaration of the pseudo-queue', async () => {
  const channel = await broker.channel();
  const { tag } = await consume(channel, REPLY_TO, { noAck: true });
  await channel.cancel(tag);
  await consume(channel, REPLY_TO, { noAck: true });
  const found = { queue: REPLY_TO, messageCount: 0, consumerCount: 1 };
  await expect(channel.checkQueue(REPLY_TO)).resolves.toEqual(found);
  await expect(channel.assertQueue(REPLY_TO)).resolves.toEqual(found);
});

it('refuses acknowledgements, a second consumer, and a request without any', async () => {
  const acknowledging = await broker.channel();
  await expect(acknowledging.consume(REPLY_TO, () => undefined)).rejects.toMatchObject({
    code: 406,
    message: expect.stringContaining('reply consumer cannot acknowledge'),
  });
  const twice = await broker.channel();
  await consume(twice, REPLY_TO, { noAck: true });
  await expect(consume(twice, REPLY_TO, { noAck: true })).rejects.toMatchObject({
    code: 406,
    message: expect.stringContaining('reply consumer already set'),
  });
  const asking = await broker.channel();
  const refused = refusal(asking);
  asking.sendToQueue('anywhere', Buffer.from('question'), { replyTo: REPLY_TO });
  await expect(refused).resolves.toMatchObject({
    code: 406,
    message: expect.stringContaining('fast reply consumer does not exist'),
  });
});
