import { execFile } from 'node:child_process';
import { appendFile, mkdtemp, readFile, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ChannelModel, ConfirmChannel } from 'amqplib';
import { type Broker, startBroker } from '../../local/amqp-broker';
import { kill, spawnBroker } from './broker-process';
import { connect, consume, nextMessage, publish } from './broker-under-test';

let dataDir: string;
let broker: Broker | undefined;
let model: ChannelModel | undefined;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'amqp-broker-'));
});
afterEach(async () => {
  await stop();
  await rm(dataDir, { recursive: true, force: true });
});

async function start(): Promise<ConfirmChannel> {
  broker = await startBroker({ port: 0, dataDir });
  return open(broker.url);
}

async function open(url: string): Promise<ConfirmChannel> {
  model = await connect(url);
  const channel = await model.createConfirmChannel();
  channel.on('error', () => undefined);
  return channel;
}

async function stop(): Promise<void> {
  await model?.close().catch(() => undefined);
  await broker?.stop();
  model = undefined;
  broker = undefined;
}

async function restart(): Promise<ConfirmChannel> {
  await stop();
  return start();
}

it('keeps what is durable over a stop, and nothing else', async () => {
  let channel = await start();
  await channel.assertExchange('events', 'topic', { alternateExchange: 'rest' });
  await channel.assertExchange('rest', 'fanout');
  await channel.assertExchange('passing', 'topic', { durable: false });
  await channel.bindExchange('rest', 'events', 'also.#');
  await channel.assertQueue('kept', { maxLength: 5, arguments: { note: 'mine' } });
  await channel.assertQueue('quorum', { arguments: { 'x-queue-type': 'quorum' } });
  await channel.assertQueue('passing', { durable: false });
  await channel.assertQueue('gone');
  await channel.bindQueue('kept', 'events', 'user.*');
  await channel.bindQueue('kept', 'events', 'unbound');
  await channel.unbindQueue('kept', 'events', 'unbound');
  await channel.bindQueue('kept', 'amq.fanout', '');
  await channel.deleteQueue('gone');
  const headers = { text: 'grüße', list: [1, 'two'] };
  await publish(channel, 'events', 'user.created', 'persistent', {
    persistent: true,
    headers,
    messageId: 'm1',
  });
  await publish(channel, 'events', 'user.created', 'transient');
  await publish(channel, '', 'quorum', 'always kept');

  channel = await restart();
  await channel.assertExchange('events', 'topic', { alternateExchange: 'rest' });
  await channel.assertQueue('kept', { maxLength: 5 });
  await expect(channel.checkQueue('kept')).resolves.toMatchObject({ messageCount: 1 });
  await expect(channel.checkQueue('quorum')).resolves.toMatchObject({ messageCount: 1 });
  const { content, fields, properties } = await nextMessage(channel, 'kept');
  expect(content.toString()).toBe('persistent');
  expect(fields).toMatchObject({ exchange: 'events', routingKey: 'user.created', redelivered: true });
  expect(properties).toMatchObject({ headers, messageId: 'm1', deliveryMode: 2 });
  await publish(channel, 'events', 'user.deleted', 'bound');
  await publish(channel, 'events', 'unbound', 'not bound');
  await publish(channel, 'amq.fanout', '', 'bound to a predeclared exchange');
  await expect(channel.checkQueue('kept')).resolves.toMatchObject({ messageCount: 2 });
  for (const queue of ['passing', 'gone']) {
    const probe = await model?.createChannel();
    probe?.on('error', () => undefined);
    await expect(probe?.checkQueue(queue)).rejects.toMatchObject({ code: 404 });
  }
  await expect(channel.checkExchange('passing')).rejects.toMatchObject({ code: 404 });
});

it('forgets what was acknowledged, purged, expired or dropped, and keeps the rest in order', async () => {
  let channel = await start();
  await channel.assertQueue('q');
  await channel.assertQueue('purged');
  await channel.assertQueue('dead');
  await channel.assertQueue('short', { messageTtl: 1, deadLetterExchange: '', deadLetterRoutingKey: 'dead' });
  const persistent = { persistent: true };
  for (const body of ['1', '2', '3', '4', '5', '6']) await publish(channel, '', 'q', body, persistent);
  await publish(channel, '', 'purged', 'x', persistent);
  await channel.purgeQueue('purged');
  const inbox = await consume(channel, 'q');
  const [first, , third, fourth] = await inbox.atLeast(6);
  if (first) channel.ack(first);
  if (third) channel.reject(third, false);
  if (fourth) channel.nack(fourth, false, true);
  await publish(channel, '', 'short', 'expired', persistent);
  const { content } = await nextMessage(channel, 'dead');
  expect(content.toString()).toBe('expired');
  await publish(channel, '', 'q', '7', persistent);

  channel = await restart();
  const again = await consume(channel, 'q');
  await again.atLeast(5);
  expect(again.bodies).toEqual(['2', '4', '5', '6', '7']);
  for (const queue of ['purged', 'dead', 'short']) {
    await expect(channel.checkQueue(queue)).resolves.toMatchObject({ messageCount: 0 });
  }
});

it('expires after a restart what came due in the meantime', async () => {
  let channel = await start();
  await channel.assertQueue('dead');
  await channel.assertQueue('short', {
    messageTtl: 100,
    deadLetterExchange: '',
    deadLetterRoutingKey: 'dead',
  });
  await publish(channel, '', 'short', 'x', { persistent: true });
  channel = await restart();
  const { properties } = await nextMessage(channel, 'dead');
  expect(properties.headers).toMatchObject({ 'x-first-death-reason': 'expired' });
});

it('has everything it confirmed after a kill, in order', async () => {
  let { child, url } = await spawnBroker('--data', dataDir);
  let channel = await open(url);
  await channel.assertExchange('events', 'topic');
  await channel.assertQueue('work');
  await channel.bindQueue('work', 'events', '#');
  // Long enough to take the broker many turns; it is killed at the first confirm, in the middle of them.
  const body = (index: number) => `${index} `.padEnd(1_000, 'x');
  let confirmed = 0;
  const killed = new Promise<void>((resolve) => {
    for (let index = 0; index < 6_000; index += 1) {
      channel.publish('events', 'user.created', Buffer.from(body(index)), { persistent: true }, (error) => {
        if (error) return;
        confirmed = index + 1;
        if (!child.killed) void kill(child).then(() => resolve());
      });
    }
  });
  await killed;
  expect(confirmed).toBeGreaterThan(0);
  await model?.close().catch(() => undefined);

  ({ child, url } = await spawnBroker('--data', dataDir));
  channel = await open(url);
  const { messageCount } = await channel.checkQueue('work');
  expect(messageCount).toBeGreaterThanOrEqual(confirmed);
  const inbox = await consume(channel, 'work', { noAck: true });
  await inbox.atLeast(messageCount);
  expect(inbox.bodies).toEqual(Array.from({ length: messageCount }, (_, index) => body(index)));
  await kill(child);
});

it('cuts a torn tail and goes on from there', async () => {
  let channel = await start();
  await channel.assertQueue('q');
  await publish(channel, '', 'q', 'first', { persistent: true });
  await publish(channel, '', 'q', 'second', { persistent: true });
  await stop();
  const journal = join(dataDir, 'journal');
  const { size } = await stat(journal);
  await truncate(journal, size - 3);
  channel = await start();
  await expect(channel.checkQueue('q')).resolves.toMatchObject({ messageCount: 1 });
  await publish(channel, '', 'q', 'third', { persistent: true });
  await stop();
  await appendFile(journal, Buffer.from('half a record'));
  channel = await start();
  const inbox = await consume(channel, 'q');
  await inbox.atLeast(2);
  expect(inbox.bodies).toEqual(['first', 'third']);
});

it('rewrites the journal when it has grown, with what is out for acknowledgement', async () => {
  let channel = await start();
  await channel.assertQueue('q');
  await publish(channel, '', 'q', 'held', { persistent: true });
  const held = await consume(channel, 'q', {});
  await held.atLeast(1);
  await channel.cancel(held.tag);
  const body = 'x'.repeat(1_000_000);
  for (let round = 0; round < 20; round += 1) {
    await publish(channel, '', 'q', body, { persistent: true });
    await channel.get('q', { noAck: true });
  }
  await publish(channel, '', 'q', 'last', { persistent: true });
  expect((await readFile(join(dataDir, 'journal'))).length).toBeLessThan(16 * 1024 * 1024);
  channel = await restart();
  const inbox = await consume(channel, 'q');
  await inbox.atLeast(2);
  expect(inbox.bodies).toEqual(['held', 'last']);
});

it('keeps what was not acknowledged, whatever the order of the acknowledgements', async () => {
  let channel = await start();
  await channel.assertQueue('q');
  const bodies = Array.from({ length: 300 }, (_, index) => String(index));
  for (const body of bodies) channel.sendToQueue('q', Buffer.from(body), { persistent: true });
  await channel.waitForConfirms();
  const inbox = await consume(channel, 'q');
  const messages = await inbox.atLeast(300);
  for (const message of [...messages].reverse()) if (Number(message.content) % 3 > 0) channel.ack(message);
  // A close may overtake the acknowledgements; the answer to a question on their channel cannot.
  await channel.checkQueue('q');
  channel = await restart();
  const again = await consume(channel, 'q');
  await again.atLeast(100);
  expect(again.bodies).toEqual(bodies.filter((body) => Number(body) % 3 === 0));
});

it('confirms while it rewrites the journal, and keeps what comes and goes meanwhile', async () => {
  let channel = await start();
  await channel.assertQueue('q');
  const body = (index: number) => `${index} `.padEnd(1_000, 'x');
  const acknowledged: string[] = [];
  // 40 MB: the rewrite begins half way, and takes far more turns than one publish and its confirm.
  for (let index = 0; index < 40_000; index += 1) {
    channel.sendToQueue('q', Buffer.from(body(index)), { persistent: true });
    if (index % 1_000 > 0) continue;
    await channel.waitForConfirms();
    const message = await channel.get('q', { noAck: true });
    if (message) acknowledged.push(message.content.toString());
  }
  await channel.waitForConfirms();
  channel = await restart();
  const inbox = await consume(channel, 'q', { noAck: true });
  await inbox.atLeast(40_000 - acknowledged.length);
  const all = Array.from({ length: 40_000 }, (_, index) => body(index));
  expect([...acknowledged, ...inbox.bodies].every((seen, index) => seen === all[index])).toBe(true);
  await expect(stat(join(dataDir, 'journal.new'))).rejects.toMatchObject({ code: 'ENOENT' });
});

it('refuses a directory that another broker uses, and takes over that of a dead one', async () => {
  const { child } = await spawnBroker('--data', dataDir);
  await expect(startBroker({ port: 0, dataDir })).rejects.toThrow(
    `data directory ${dataDir} is in use by another broker (process ${child.pid})`,
  );
  await kill(child);
  await start();
  await expect(startBroker({ port: 0, dataDir })).rejects.toMatchObject({ code: 'EDATADIRINUSE' });
});

it('blocks who publishes while its disk is full, and confirms once there is room', async () => {
  const { child, url } = await spawnBroker('--data', dataDir);
  const limitFiles = (bytes: number | 'unlimited') =>
    promisify(execFile)('prlimit', ['--pid', String(child.pid), `--fsize=${bytes}:`]);
  const channel = await open(url);
  await channel.assertQueue('q');
  const { size } = await stat(join(dataDir, 'journal'));
  // Room for a part of the record only.
  await limitFiles(size + 10);
  const blocked = new Promise((resolve) => model?.once('blocked', resolve));
  const unblocked = new Promise((resolve) => model?.once('unblocked', resolve));
  let confirmed = false;
  const confirm = publish(channel, '', 'q', 'kept', { persistent: true }).then((accepted) => {
    confirmed = accepted;
  });
  await expect(blocked).resolves.toBe('low on disk');
  // Others are served: what they ask for needs no room.
  const other = await connect(url);
  const probe = await other.createChannel();
  await expect(probe.checkQueue('q')).resolves.toMatchObject({ messageCount: 1 });
  expect((await stat(join(dataDir, 'journal'))).size).toBe(size);
  expect(confirmed).toBe(false);
  await limitFiles('unlimited');
  await unblocked;
  await confirm;
  expect(confirmed).toBe(true);
  await other.close();
  await publish(channel, '', 'q', 'and this', { persistent: true });
  await kill(child);
  const inbox = await consume(await start(), 'q');
  await inbox.atLeast(2);
  expect(inbox.bodies).toEqual(['kept', 'and this']);
});
