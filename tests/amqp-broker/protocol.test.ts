import { encodeFrame, FRAME } from '../../local/amqp-broker/wire/codec/frames';
import { encodeMethod } from '../../local/amqp-broker/wire/codec/method-codec';
import { connect, useBroker } from './broker-under-test';
import { CAPABLE, RawClient } from './raw-client';

const broker = useBroker();
const itEmbedded = process.env['RABBITMQ_URL'] ? it.skip : it;

let client: RawClient;
beforeEach(() => {
  client = new RawClient(broker.url);
});
afterEach(() => client.socket.destroy());

const QOS = { prefetchSize: 0, prefetchCount: 1, global: false };

describe('heartbeats', () => {
  const beat = Buffer.alloc(0);

  it.each([1, 7])('closes the connection over one on channel %i', async (channel) => {
    await client.openChannel();
    client.frame(FRAME.HEARTBEAT, channel, beat);
    await expect(client.next()).resolves.toMatchObject({
      name: 'connection.close',
      args: { replyCode: 505 },
    });
  });

  it('closes the connection over one that carries something', async () => {
    await client.openChannel();
    client.frame(FRAME.HEARTBEAT, 0, Buffer.from('x'));
    await expect(client.next()).resolves.toMatchObject({
      name: 'connection.close',
      args: { replyCode: 501 },
    });
  });

  it('takes one between the frames of a content', async () => {
    await client.openChannel();
    client.publish(1);
    client.frame(FRAME.HEARTBEAT, 0, beat);
    client.header(1, 0);
    client.method(1, 'basic.qos', QOS);
    await expect(client.next()).resolves.toMatchObject({ name: 'basic.qos-ok' });
  });
});

describe('handshake', () => {
  it.each(['HTTP/1.1', 'AMQP\x00\x01\x00\x00'])(
    'answers the protocol header %j with its own',
    async (header) => {
      client.bytes(Buffer.from(header, 'latin1'));
      await client.closed;
      expect(client.received).toEqual(Buffer.from('AMQP\x00\x00\x09\x01', 'latin1'));
    },
  );

  it('says why it refuses a login, to a client that asks', async () => {
    await expect(client.login(CAPABLE, 'PLAIN', '\0guest\0wrong')).resolves.toMatchObject({
      name: 'connection.close',
      args: { replyCode: 403, replyText: expect.stringMatching(/^ACCESS_REFUSED - Login was refused/) },
    });
  });

  it('just closes on any other client', async () => {
    await expect(client.login(new Map(), 'PLAIN', '\0guest\0wrong')).resolves.toBeUndefined();
  });

  it('takes AMQPLAIN, and shows amqplib that a password is wrong', async () => {
    const url = new URL(broker.url);
    url.password = 'wrong';
    await expect(connect(url.href)).rejects.toThrow('403 (ACCESS-REFUSED)');
    const response = encodeMethod('connection.start-ok', {
      clientProperties: new Map([
        ['LOGIN', { tag: 'S', value: 'guest' }],
        ['PASSWORD', { tag: 'S', value: 'guest' }],
      ]),
      mechanism: '',
      response: Buffer.alloc(0),
      locale: '',
    });
    // The table alone, without its length and what follows it.
    const fields = response.subarray(8, 8 + response.readUInt32BE(4)).toString('latin1');
    await expect(client.login(CAPABLE, 'AMQPLAIN', fields)).resolves.toMatchObject({
      name: 'connection.tune',
    });
  });

  it('refuses an unknown virtual host', async () => {
    await expect(client.open(undefined, 'elsewhere')).resolves.toMatchObject({
      name: 'connection.close',
      args: {
        replyCode: 530,
        replyText: 'NOT_ALLOWED - vhost elsewhere not found',
        classId: 10,
        methodId: 40,
      },
    });
  });

  // RabbitMQ closes the socket without a word in these cases.
  itEmbedded.each([
    [{ channelMax: 10, frameMax: 1_000_000, heartbeat: 0 }, 'frame_max = 1000000 is higher'],
    [{ channelMax: 10, frameMax: 0, heartbeat: 0 }, 'frame_max = 0 (no limit) is higher'],
    [{ channelMax: 10, frameMax: 100, heartbeat: 0 }, 'frame_max = 100 is lower'],
    [{ channelMax: 5000, frameMax: 8192, heartbeat: 0 }, 'channel_max = 5000 is higher'],
  ])('refuses to be tuned to %j', async (tune, text) => {
    await expect(client.open(tune)).resolves.toMatchObject({
      name: 'connection.close',
      args: { replyCode: 530, replyText: expect.stringContaining(text) },
    });
  });

  itEmbedded('refuses a mechanism it did not offer', async () => {
    await expect(client.login(CAPABLE, 'EXTERNAL', '')).resolves.toMatchObject({ args: { replyCode: 503 } });
  });

  itEmbedded('refuses methods out of order', async () => {
    await client.login();
    client.method(0, 'connection.open', { virtualHost: '/', reserved1: '', reserved2: false });
    await expect(client.next()).resolves.toMatchObject({
      name: 'connection.close',
      args: { replyCode: 504 },
    });
  });
});

describe('mistakes that end the connection', () => {
  const brokenEnd = encodeFrame(FRAME.METHOD, 1, encodeMethod('basic.qos', QOS));
  brokenEnd[brokenEnd.length - 1] = 7;
  const truncated = encodeMethod('basic.qos', QOS).subarray(0, 8);
  const flow = () => client.method(1, 'channel.flow', { active: true });

  it.each<[string, number, () => void]>([
    ['a frame without its end', 501, () => client.bytes(brokenEnd)],
    ['a frame above frame_max', 501, () => client.frame(FRAME.METHOD, 1, Buffer.alloc(9000))],
    ['an unknown frame type', 501, () => client.frame(77, 1, Buffer.alloc(9))],
    ['a method cut short', 501, () => client.frame(FRAME.METHOD, 1, truncated)],
    ['a method on a channel that is not open', 504, () => client.method(2, 'basic.qos', QOS)],
    ['opening a channel twice', 504, () => client.method(1, 'channel.open', { reserved1: '' })],
    [
      'a connection method that is not due',
      504,
      () => client.method(0, 'connection.tune-ok', { channelMax: 1, frameMax: 8192, heartbeat: 0 }),
    ],
    ['a content header without a method', 505, () => client.header(1, 0)],
    ['a body without a method', 505, () => client.frame(FRAME.BODY, 1, Buffer.from('x'))],
    [
      'a body where a header is due',
      505,
      () => {
        client.publish(1);
        client.frame(FRAME.BODY, 1, Buffer.from('x'));
      },
    ],
    [
      'a method where a header is due',
      505,
      () => {
        client.publish(1);
        flow();
      },
    ],
    [
      'a method where a body is due',
      505,
      () => {
        client.publish(1);
        client.header(1, 5);
        flow();
      },
    ],
    [
      'a header of another class',
      505,
      () => {
        client.publish(1);
        client.header(1, 0, 50);
      },
    ],
    ['a prefetch in bytes', 540, () => client.method(1, 'basic.qos', { ...QOS, prefetchSize: 1 })],
    ['stopping the flow', 540, () => client.method(1, 'channel.flow', { active: false })],
    ['recovering without requeueing', 540, () => client.method(1, 'basic.recover', { requeue: false })],
  ])('%s: %i', async (_what, replyCode, mistake) => {
    await client.openChannel();
    mistake();
    await expect(client.next()).resolves.toMatchObject({ name: 'connection.close', args: { replyCode } });
    client.method(0, 'connection.close-ok', {});
    await client.closed;
  });

  itEmbedded.each<[string, number, () => void]>([
    ['a method that only servers send', 503, () => client.method(1, 'basic.get-empty', { reserved1: '' })],
    ['a method nobody knows', 540, () => client.frame(FRAME.METHOD, 1, Buffer.from([0, 60, 0, 99]))],
    ['a transaction', 540, () => client.method(1, 'tx.select', {})],
    ['a channel above channel_max', 530, () => client.method(101, 'channel.open', { reserved1: '' })],
    [
      'properties cut short',
      502,
      () => {
        client.publish(1);
        client.header(1, 0, 60, Buffer.from([0x80, 0]));
      },
    ],
    [
      'more body than announced',
      501,
      () => {
        client.publish(1);
        client.header(1, 1);
        client.frame(FRAME.BODY, 1, Buffer.from('xx'));
      },
    ],
  ])('%s: %i', async (_what, replyCode, mistake) => {
    await client.openChannel();
    mistake();
    await expect(client.next()).resolves.toMatchObject({ name: 'connection.close', args: { replyCode } });
  });
});

it('ignores what comes on a channel it has closed, until the client has seen that', async () => {
  await client.openChannel();
  client.method(1, 'queue.purge', { ticket: 0, queue: 'no-such-queue', nowait: false });
  client.method(1, 'channel.flow', { active: true });
  client.publish(1);
  client.header(1, 0);
  client.method(1, 'channel.close-ok', {});
  client.method(1, 'channel.open', { reserved1: '' });
  await expect(client.next()).resolves.toMatchObject({
    name: 'channel.close',
    args: {
      replyCode: 404,
      replyText: "NOT_FOUND - no queue 'no-such-queue' in vhost '/'",
      classId: 50,
      methodId: 30,
    },
  });
  await expect(client.next()).resolves.toMatchObject({ name: 'channel.open-ok' });
});

// RabbitMQ hears the client's close before its own error or after it, as it happens.
itEmbedded('lets both sides close a channel at once', async () => {
  await client.openChannel();
  client.method(1, 'queue.purge', { ticket: 0, queue: 'no-such-queue', nowait: false });
  client.method(1, 'channel.close', { replyCode: 200, replyText: '', classId: 0, methodId: 0 });
  client.method(1, 'channel.close-ok', {});
  client.method(1, 'channel.open', { reserved1: '' });
  await expect(client.next()).resolves.toMatchObject({ name: 'channel.close' });
  await expect(client.next()).resolves.toMatchObject({ name: 'channel.close-ok' });
  await expect(client.next()).resolves.toMatchObject({ name: 'channel.open-ok' });
});

it('splits bodies at the frame size of the connection, and sends no heartbeats to who wants none', async () => {
  const channel = await broker.confirmChannel();
  const queue = broker.queue('small-frames');
  await channel.assertQueue(queue);
  channel.sendToQueue(queue, Buffer.alloc(20_000, 'x'));
  await channel.waitForConfirms();
  await client.open({ channelMax: 10, frameMax: 4096, heartbeat: 0 });
  client.method(1, 'channel.open', { reserved1: '' });
  await client.next();
  const before = client.received.length;
  client.method(1, 'basic.get', { ticket: 0, queue, noAck: true });
  client.method(1, 'channel.close', { replyCode: 200, replyText: '', classId: 0, methodId: 0 });
  await expect(client.next()).resolves.toMatchObject({ name: 'basic.get-ok' });
  await expect(client.next()).resolves.toMatchObject({ name: 'channel.close-ok' });
  const sizes: number[] = [];
  for (let at = before; at < client.received.length; at += 8 + client.received.readUInt32BE(at + 3)) {
    if (client.received[at] === FRAME.BODY) sizes.push(8 + client.received.readUInt32BE(at + 3));
  }
  expect(sizes).toEqual([4096, 4096, 4096, 4096, 20_000 - 4 * 4088 + 8]);
});

it('sends heartbeats, and gives up on a client that sends none', async () => {
  await client.open({ channelMax: 10, frameMax: 8192, heartbeat: 1 });
  await client.closed;
  expect(client.received.includes(encodeFrame(FRAME.HEARTBEAT, 0, Buffer.alloc(0)))).toBe(true);
});
