import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { type Broker, startBroker } from '../../local/amqp-broker';
import { connect, consume, publish, refusal } from './broker-under-test';
import { RawClient } from './raw-client';

const brokers: Broker[] = [];
async function start(options: Partial<Parameters<typeof startBroker>[0]> = {}): Promise<Broker> {
  const broker = await startBroker({ port: 0, ...options });
  brokers.push(broker);
  return broker;
}
afterEach(async () => {
  await Promise.all(brokers.splice(0).map((broker) => broker.stop()));
});

it('says which port is taken', async () => {
  const { port } = await start();
  await expect(startBroker({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

it('listens on several addresses with one port', async () => {
  const { port } = await start({ host: ['127.0.0.1', '127.0.0.2'] });
  for (const host of ['127.0.0.1', '127.0.0.2']) {
    await (await connect(`amqp://guest:guest@${host}:${port}`)).close();
  }
});

it('knows one user and the virtual hosts it was given, each a world of its own', async () => {
  const { url, port } = await start({ username: 'me', password: 'p@ss/word', vhosts: ['one', 'two'] });
  expect(url).toBe(`amqp://me:p%40ss%2Fword@127.0.0.1:${port}/one`);
  const one = await connect(url);
  await (await one.createChannel()).assertQueue('only-here');
  const two = await connect(url.replace(/one$/, 'two'));
  const channel = await two.createChannel();
  channel.on('error', () => undefined);
  await expect(channel.checkQueue('only-here')).rejects.toMatchObject({ code: 404 });
  await expect(connect(url.replace('me:', 'you:'))).rejects.toThrow('403');
  await expect(connect(url.replace(/one$/, 'three'))).rejects.toThrow('ConnectionClose');
  await Promise.all([one.close(), two.close()]);
});

it('closes its connections when it stops, and stops in the presence of a silent one', async () => {
  const broker = await start();
  const model = await connect(broker.url);
  const closed = new Promise<Error>((resolve) => model.on('close', resolve));
  const silent = new RawClient(broker.url);
  silent.bytes('AMQP');
  await new Promise((resolve) => silent.socket.once('connect', resolve));
  await broker.stop();
  await expect(closed).resolves.toMatchObject({ code: 320 });
  await silent.closed;
  await expect(connect(broker.url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

it('holds back deliveries from a client that does not read, and goes on when it does', async () => {
  const broker = await start();
  const model = await connect(broker.url);
  const channel = await model.createConfirmChannel();
  await channel.assertQueue('flood');
  const body = 'x'.repeat(100_000);
  const slow = new RawClient(broker.url);
  await slow.openChannel();
  slow.method(1, 'basic.consume', {
    ticket: 0,
    queue: 'flood',
    consumerTag: 'slow',
    noLocal: false,
    noAck: false,
    exclusive: false,
    nowait: false,
    arguments: new Map(),
  });
  await slow.next();
  slow.socket.pause();
  for (let sent = 0; sent < 300; sent += 1) await publish(channel, '', 'flood', body);
  // 30 MB were published; the broker's share and the kernel's socket buffers hold a part of that only.
  const { messageCount } = await channel.checkQueue('flood');
  expect(messageCount).toBeGreaterThan(100);
  slow.socket.resume();
  for (let seen = 0; seen < 300; seen += 1) {
    await expect(slow.next()).resolves.toMatchObject({ name: 'basic.deliver' });
  }
  slow.socket.destroy();
  await model.close();
});

it('serves a client that asks for far more than it reads, without holding it all', async () => {
  const broker = await start();
  const model = await connect(broker.url);
  const channel = await model.createConfirmChannel();
  await channel.assertQueue('large');
  await publish(channel, '', 'large', 'x'.repeat(1_000_000));
  const greedy = new RawClient(broker.url);
  await greedy.openChannel();
  greedy.socket.pause();
  const before = process.memoryUsage().rss;
  for (let asked = 0; asked < 500; asked += 1) {
    greedy.method(1, 'basic.get', { ticket: 0, queue: 'large', noAck: false });
    greedy.method(1, 'basic.recover-async', { requeue: true });
  }
  await publish(channel, '', 'elsewhere', 'a turn later');
  await publish(channel, '', 'elsewhere', 'and another');
  expect(process.memoryUsage().rss - before).toBeLessThan(300_000_000);
  greedy.socket.destroy();
  await model.close();
});

it('goes on serving others while one breaks the protocol', async () => {
  const broker = await start();
  const model = await connect(broker.url);
  const channel = await model.createConfirmChannel();
  await channel.assertQueue('steady');
  const inbox = await consume(channel, 'steady', { noAck: true });
  const bad = await connect(broker.url);
  const badChannel = await bad.createChannel();
  badChannel.on('error', () => undefined);
  const refused = refusal(bad);
  badChannel.assertExchange('x', 'nonsense').catch(() => undefined);
  await expect(refused).resolves.toMatchObject({ code: 503 });
  await publish(channel, '', 'steady', 'still here');
  await inbox.atLeast(1);
  await model.close();
});

describe('on the command line', () => {
  it('reports a taken port and exits', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => blocker.once('listening', resolve));
    const address = blocker.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const child = spawn(process.execPath, [
      '--import',
      'tsx',
      'local/amqp-broker/main.ts',
      '--port',
      String(port),
    ]);
    let errors = '';
    child.stderr.on('data', (chunk) => {
      errors += chunk;
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect({ code, errors }).toEqual({ code: 1, errors: expect.stringContaining('EADDRINUSE') });
    await new Promise((resolve) => blocker.close(resolve));
  });
});
