import { type Broker, startBroker } from '../../local/amqp-broker';
import { longstr, table } from '../../local/amqp-broker/model/values/fields';
import { encodeFrame, FRAME, PROTOCOL_HEADER } from '../../local/amqp-broker/wire/codec/frames';
import { encodeMethod } from '../../local/amqp-broker/wire/codec/method-codec';
import { METHODS } from '../../local/amqp-broker/wire/codec/methods';
import { connect, consume, publish } from './broker-under-test';
import { CAPABLE, RawClient } from './raw-client';

/** A small seeded generator (xorshift32), so that a failure can be had again. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function noiseOf(length: number, random: (below: number) => number): Buffer {
  return Buffer.from(Array.from({ length }, () => random(256)));
}

let broker: Broker;
const failures: string[] = [];
beforeAll(async () => {
  // An internal error would be a bug that an input found.
  const log = (line: string) => line.includes('INTERNAL_ERROR') && failures.push(line);
  broker = await startBroker({ port: 0, log });
});
afterAll(() => broker.stop());

/** A session that a real client could have: what the fuzzer then damages. */
function session(random: (below: number) => number): Buffer[] {
  const args = new Map([
    ['x-message-ttl', { tag: 'I', value: 1000 }],
    ['x-dead-letter-exchange', longstr('amq.topic')],
    ['nested', table({ deep: table({ deeper: longstr('x') }) })],
  ]);
  const declared = { ticket: 0, passive: false, durable: true, nowait: false, arguments: args };
  const header = Buffer.concat([
    Buffer.from('003c0000000000000000000330000000000f0141530000000774657874', 'hex'),
  ]);
  const frames = [
    encodeFrame(1, 1, encodeMethod('channel.open', { reserved1: '' })),
    encodeFrame(1, 1, encodeMethod('confirm.select', { nowait: false })),
    encodeFrame(
      1,
      1,
      encodeMethod('queue.declare', { ...declared, queue: 'f', exclusive: false, autoDelete: false }),
    ),
    encodeFrame(
      1,
      1,
      encodeMethod('queue.bind', {
        ticket: 0,
        queue: 'f',
        exchange: 'amq.topic',
        routingKey: '#.a.#',
        nowait: false,
        arguments: args,
      }),
    ),
    encodeFrame(
      1,
      1,
      encodeMethod('basic.consume', {
        ticket: 0,
        queue: 'f',
        consumerTag: 'c',
        noLocal: false,
        noAck: false,
        exclusive: false,
        nowait: false,
        arguments: args,
      }),
    ),
    encodeFrame(
      1,
      1,
      encodeMethod('basic.publish', {
        ticket: 0,
        exchange: 'amq.topic',
        routingKey: 'a',
        mandatory: true,
        immediate: false,
      }),
    ),
    encodeFrame(FRAME.HEADER, 1, header),
    encodeFrame(FRAME.BODY, 1, Buffer.from('abc')),
    encodeFrame(1, 1, encodeMethod('basic.nack', { deliveryTag: 1, multiple: true, requeue: false })),
    encodeFrame(1, 1, encodeMethod('basic.recover', { requeue: true })),
    encodeFrame(FRAME.HEARTBEAT, 0, Buffer.alloc(0)),
  ];
  // Any method at all with arguments of nothing but noise.
  const ids = Object.values(METHODS).map((layout) => layout.split(' ')[0]?.split('.').map(Number) ?? []);
  const [classId = 0, methodId = 0] = ids[random(ids.length)] ?? [];
  const noise = noiseOf(4 + random(60), random);
  noise.writeUInt16BE(classId, 0);
  noise.writeUInt16BE(methodId, 2);
  frames.splice(1 + random(frames.length), 0, encodeFrame(1, random(3), noise));
  return frames;
}

function damage(frames: Buffer[], random: (below: number) => number): Buffer {
  const kind = random(5);
  if (kind === 0) frames.splice(random(frames.length), 1);
  if (kind === 1) frames.reverse();
  const bytes = Buffer.concat(frames);
  for (let flips = kind === 2 ? 0 : random(8); flips > 0; flips -= 1)
    bytes[random(bytes.length)] = random(256);
  return kind === 3 ? bytes.subarray(0, random(bytes.length)) : bytes;
}

async function isAlive(): Promise<boolean> {
  const model = await connect(broker.url);
  const channel = await model.createConfirmChannel();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  const answer = await publish(channel, '', queue, 'x');
  await model.close();
  return answer;
}

/** Sends bytes and waits until the broker has read them all: it then closes, since the client has ended. */
async function send(client: RawClient, bytes: Buffer): Promise<void> {
  client.socket.resume();
  client.socket.end(bytes);
  await client.closed;
}

it('survives noise in place of a protocol', async () => {
  const random = generator(1);
  for (let round = 0; round < 100; round += 1) {
    const client = new RawClient(broker.url);
    const noise = noiseOf(1 + random(2000), random);
    await send(client, round % 2 ? noise : Buffer.concat([PROTOCOL_HEADER, noise]));
  }
  await expect(isAlive()).resolves.toBe(true);
});

it('survives damaged frames on an open connection', async () => {
  const random = generator(2);
  const start = encodeFrame(
    1,
    0,
    encodeMethod('connection.start-ok', {
      clientProperties: CAPABLE,
      mechanism: 'PLAIN',
      response: Buffer.from('\0guest\0guest'),
      locale: '',
    }),
  );
  const tune = encodeFrame(
    1,
    0,
    encodeMethod('connection.tune-ok', { channelMax: 10, frameMax: 8192, heartbeat: 0 }),
  );
  const open = encodeFrame(
    1,
    0,
    encodeMethod('connection.open', { virtualHost: '/', reserved1: '', reserved2: false }),
  );
  const hello = Buffer.concat([PROTOCOL_HEADER, start, tune, open]);
  for (let round = 0; round < 600; round += 1) {
    await send(new RawClient(broker.url), Buffer.concat([hello, damage(session(random), random)]));
  }
  await expect(isAlive()).resolves.toBe(true);
  expect(failures).toEqual([]);
});

it('dead-letters a message that brings any death record along', async () => {
  const model = await connect(broker.url);
  const channel = await model.createConfirmChannel();
  const { queue: dead } = await channel.assertQueue('', { exclusive: true });
  const { queue } = await channel.assertQueue('', {
    exclusive: true,
    messageTtl: 1,
    deadLetterExchange: '',
    deadLetterRoutingKey: dead,
  });
  const death = (count: unknown) => ({ queue, reason: 'expired', count });
  const records = [
    'text',
    5,
    [],
    [1, 'two', null],
    [death({ '!': 'int64', value: 9223372036854775807n })],
    [death({ '!': 'int64', value: -9223372036854775808n })],
    [death('many')],
    [death(null)],
    { not: 'a list' },
  ];
  for (const record of records) await publish(channel, '', queue, 'x', { headers: { 'x-death': record } });
  const inbox = await consume(channel, dead, { noAck: true });
  await inbox.atLeast(records.length);
  for (const { properties } of inbox.messages) {
    expect(properties.headers?.['x-death']).toEqual([expect.objectContaining({ queue, reason: 'expired' })]);
  }
  await model.close();
});

it('refuses tables nested without end', async () => {
  const client = new RawClient(broker.url);
  await client.openChannel();
  // queue.declare with an array in an array in an array …
  const arrays = Buffer.alloc(7000);
  for (let at = 0; at + 5 <= arrays.length; at += 5) {
    arrays.write('A', at);
    arrays.writeUInt32BE(arrays.length - at - 5, at + 1);
  }
  const size = Buffer.alloc(6);
  size.writeUInt32BE(arrays.length + 2, 0);
  size.write('\x01a', 4);
  client.frame(1, 1, Buffer.concat([Buffer.from([0, 50, 0, 10, 0, 0, 1, 113, 2]), size, arrays]));
  await expect(client.next()).resolves.toMatchObject({ name: 'connection.close', args: { replyCode: 501 } });
  client.socket.destroy();
});
