import { once } from 'node:events';
import { type Broker, startBroker } from '../../local/amqp-broker';
import { bool, table } from '../../local/amqp-broker/model/values/fields';
import { FRAME, HEARTBEAT_FRAME } from '../../local/amqp-broker/wire/codec/frames';
import { spawnBroker } from './broker-process';
import { connect, consume, publish } from './broker-under-test';
import { RawClient } from './raw-client';

// RabbitMQ's alarms concern the whole node: these suites know the embedded broker alone.
let broker: Broker;
const clients: RawClient[] = [];
beforeEach(async () => {
  broker = await startBroker({ port: 0 });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.destroy();
  await broker.stop();
});

const TOLD = new Map([['capabilities', table({ 'connection.blocked': bool(true) })]]);

/** A client with a channel in confirm mode. */
async function open({ url = broker.url, properties = TOLD, heartbeat = 0 } = {}): Promise<RawClient> {
  const client = new RawClient(url);
  clients.push(client);
  await client.login(properties);
  client.method(0, 'connection.tune-ok', { channelMax: 100, frameMax: 8192, heartbeat });
  client.method(0, 'connection.open', { virtualHost: '/', reserved1: '', reserved2: false });
  await client.next();
  client.method(1, 'channel.open', { reserved1: '' });
  await client.next();
  client.method(1, 'confirm.select', { nowait: false });
  await client.next();
  return client;
}

/** A method and the header of its content; the body, if it has one, is still to come. */
function begin(client: RawClient, size: number): void {
  client.publish(1);
  client.header(1, size);
}

function ask(client: RawClient): void {
  client.method(1, 'basic.qos', { prefetchSize: 0, prefetchCount: 1, global: false });
}

async function names(client: RawClient, count: number): Promise<(string | undefined)[]> {
  const found: (string | undefined)[] = [];
  while (found.length < count) found.push((await client.next())?.name);
  return found;
}

it('blocks a connection at the header of what it publishes, and serves the rest once the alarm is cleared', async () => {
  const client = await open();
  broker.raiseAlarm('memory');
  begin(client, 4);
  await expect(client.next()).resolves.toMatchObject({
    name: 'connection.blocked',
    args: { reason: 'low on memory' },
  });
  client.frame(FRAME.BODY, 1, Buffer.from('body'));
  ask(client);
  // Whatever the broker would say to that, it would have said before this.
  const other = await connect(broker.url);
  await other.createChannel();
  await other.close();
  broker.clearAlarm('memory');
  const [first, ...rest] = await names(client, 3);
  expect([first, rest.sort()]).toEqual(['connection.unblocked', ['basic.ack', 'basic.qos-ok']]);
});

it('takes a message without a body, which its header completes', async () => {
  const client = await open();
  broker.raiseAlarm('disk');
  begin(client, 0);
  await expect(names(client, 2)).resolves.toEqual(['connection.blocked', 'basic.ack']);
});

it('is not read while it is blocked, even if it is not told', async () => {
  const client = await open({ properties: new Map() });
  broker.raiseAlarm('memory');
  begin(client, 0);
  await expect(names(client, 1)).resolves.toEqual(['basic.ack']);
  const before = client.received.length;
  ask(client);
  const model = await connect(broker.url);
  await model.createChannel();
  await model.close();
  expect(client.received).toHaveLength(before);
  broker.clearAlarm('memory');
  await expect(names(client, 1)).resolves.toEqual(['basic.qos-ok']);
});

it('names all alarms, says so once, and unblocks when the last is cleared', async () => {
  const first = await open();
  broker.raiseAlarm('memory');
  begin(first, 0);
  await expect(names(first, 2)).resolves.toEqual(['connection.blocked', 'basic.ack']);
  broker.raiseAlarm('disk');
  const second = await open();
  begin(second, 0);
  await expect(second.next()).resolves.toMatchObject({ args: { reason: 'low on disk & memory' } });
  await second.next();
  broker.clearAlarm('memory');
  const third = await open();
  begin(third, 0);
  await expect(third.next()).resolves.toMatchObject({ args: { reason: 'low on disk' } });
  broker.clearAlarm('disk');
  for (const client of [first, second]) {
    await expect(names(client, 1)).resolves.toEqual(['connection.unblocked']);
  }
  begin(first, 0);
  await expect(names(first, 1)).resolves.toEqual(['basic.ack']);
});

it('serves consumers all the while', async () => {
  const model = await connect(broker.url);
  const channel = await model.createConfirmChannel();
  await channel.assertQueue('q');
  await publish(channel, '', 'q', 'before');
  broker.raiseAlarm('memory');
  const consumer = await connect(broker.url);
  const consuming = await consumer.createChannel();
  const inbox = await consume(consuming, 'q');
  const [message] = await inbox.atLeast(1);
  if (message) consuming.ack(message);
  await consuming.cancel(inbox.tag);
  await consuming.recover();
  await expect(consuming.checkQueue('q')).resolves.toMatchObject({ messageCount: 0 });
  await Promise.all([consumer.close(), model.close()]);
});

it('does not take a blocked connection for dead, and beats for it', async () => {
  const client = await open({ heartbeat: 1 });
  broker.raiseAlarm('memory');
  begin(client, 0);
  await names(client, 2);
  // Longer than the two intervals after which a silent peer is dropped.
  const beats = () => client.received.toString('latin1').split(HEARTBEAT_FRAME.toString('latin1')).length - 1;
  while (beats() < 4) await once(client.socket, 'data');
  broker.clearAlarm('memory');
  await expect(names(client, 1)).resolves.toEqual(['connection.unblocked']);
});

it('stops while a connection is blocked', async () => {
  const client = await open();
  broker.raiseAlarm('memory');
  begin(client, 0);
  await names(client, 2);
  const stopped = broker.stop();
  await expect(names(client, 1)).resolves.toEqual(['connection.close']);
  client.method(0, 'connection.close-ok', {});
  await stopped;
});

it('raises and clears an alarm at SIGUSR2', async () => {
  const { child, url, logged } = await spawnBroker();
  const client = await open({ url });
  child.kill('SIGUSR2');
  await logged(/memory alarm raised/);
  begin(client, 0);
  await expect(names(client, 2)).resolves.toEqual(['connection.blocked', 'basic.ack']);
  child.kill('SIGUSR2');
  await expect(names(client, 1)).resolves.toEqual(['connection.unblocked']);
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
});
