// What is wrong with the broker, or with what we were told of it, is one plain line that names what to do.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import * as tls from 'node:tls';
import { freePort } from '../../../local/ports';
import { BrokerError, explainAlarm, explainBrokerError } from '../../../shared/broker/broker-error';
import { createBroker } from '../../../shared/broker/connection';
import { OutageLog } from '../../../shared/broker/outage-log';
import { createLog, type LogFields } from '../../../shared/log';
import { brokerUrl, NO_HOST } from '../../setup/broker';

const PASSWORD = 'a-password-that-is-in-no-log';

/** What opening a connection fails with; a busy broker has time to say no. */
async function troubleAt(change: (url: URL) => void, timeoutMs = 30_000): Promise<BrokerError> {
  const url = new URL(brokerUrl());
  change(url);
  const broker = createBroker(url.toString(), 'rollcall-test', createLog('silent'));
  const trouble = await broker.open(timeoutMs).catch((error: unknown) => error);
  if (!(trouble instanceof BrokerError)) throw new Error(`It is no trouble: ${trouble}`);
  return trouble;
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

test.each<[string, string, (url: URL) => void]>([
  ['a wrong password', 'rabbitmqctl change_password', (url) => (url.password = PASSWORD)],
  ['an unknown user', 'rabbitmqctl add_user', (url) => (url.username = 'nobody')],
  ['a virtual host that is not there', 'rabbitmqctl add_vhost', (url) => (url.pathname = '/nowhere')],
  ['a host that is not there', 'check the host in RABBITMQ_URL', (url) => (url.hostname = NO_HOST)],
  ['TLS to a plain port', 'does not speak TLS', (url) => (url.protocol = 'amqps:')],
])('%s', async (_name, help, change) => {
  const trouble = await troubleAt(change);
  expect(trouble.message).toContain(help);
  expect(JSON.stringify(trouble, Object.getOwnPropertyNames(trouble))).not.toContain(PASSWORD);
});

test('a port at which nothing listens', async () => {
  const port = await freePort();
  expect((await troubleAt((url) => (url.port = String(port)))).message).toContain(
    'start the broker, or check host',
  );
});

test.each<[string, string, () => Server, number]>([
  [
    'a server that says nothing',
    'firewalls and security groups',
    () => createServer((socket) => void socket.resume()),
    300,
  ],
  ['a plain connection to a TLS port', 'amqps://', () => tls.createServer({}), 30_000],
])('%s', async (_name, help, create, timeoutMs) => {
  const server = create();
  const port = await listening(server);
  expect((await troubleAt((url) => (url.port = String(port)), timeoutMs)).message).toContain(help);
  server.close();
});

test.each([
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'NODE_EXTRA_CA_CERTS'],
  ['CERT_HAS_EXPIRED', 'NODE_EXTRA_CA_CERTS'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'the host name that it was issued for'],
])('a certificate that is not trusted: %s', (code, help) => {
  expect(explainBrokerError(Object.assign(new Error('certificate'), { code })).message).toContain(help);
});

test.each([
  [40, 10, 'configure on the exchange'],
  [50, 10, 'configure on the queue'],
  [50, 20, 'write on the queue and read on the exchange'],
  [60, 20, 'read on the queue'],
  [60, 40, 'write on the exchange'],
  [90, 10, 'for this operation'],
])('a permission that is missing, by class %i and method %i: %s', (classId, methodId, permission) => {
  const reason = "ACCESS_REFUSED - access to exchange 'user_events' in vhost '/' refused for user 'rollcall'";
  const trouble = explainBrokerError(Object.assign(new Error(reason), { code: 403, classId, methodId }));
  expect(trouble.message).toContain(`denies the permission ${permission}`);
  expect(trouble.reason).toBe(reason);
});

test.each<[string, { code: number; classId: number; methodId: number }, string]>([
  [
    "PRECONDITION_FAILED - cannot declare queue 'q' in vhost '/': queue limit in vhost '/' (1) is reached",
    { code: 406, classId: 50, methodId: 10 },
    'limit of queues',
  ],
  ["NOT_FOUND - no exchange 'x' in vhost '/'", { code: 404, classId: 60, methodId: 40 }, 'does not exist'],
])('%s', (reason, fields, help) => {
  expect(explainBrokerError(Object.assign(new Error(reason), fields)).message).toContain(help);
});

test('a virtual host that is refused may also be full of connections, which amqplib does not tell', async () => {
  expect((await troubleAt((url) => (url.pathname = '/nowhere'))).message).toContain('set_vhost_limits');
});

test('anything else is told as it came', () => {
  expect(explainBrokerError(new Error('Frame size exceeds the maximum')).message).toBe(
    'The broker cannot be used: Frame size exceeds the maximum',
  );
});

describe('the log of an outage', () => {
  let now: number;
  let logged: (LogFields & { message: string })[];
  let noted: (string | null)[];
  let trouble: OutageLog;
  beforeEach(() => {
    noted = [];
    now = 0;
    logged = [];
    const log = createLog('info', (line) => void logged.push(JSON.parse(line)));
    trouble = new OutageLog(
      log,
      'Nothing goes out',
      'It goes out again',
      async (problem) => void noted.push(problem),
      () => now,
    );
  });

  test('tells the same once a minute, and its end once', async () => {
    for (; now < 3_600_000; now += 200) trouble.failed(explainAlarm('low on disk'));
    expect(logged).toHaveLength(60);
    expect(logged[0]).toMatchObject({
      level: 'error',
      message: expect.stringContaining('a resource alarm: free disk space or memory'),
      reason: 'low on disk',
      consequence: 'Nothing goes out',
    });
    trouble.recovered();
    trouble.recovered();
    expect(logged.slice(60)).toMatchObject([{ level: 'info', message: 'It goes out again' }]);
    // It is noted one after the other.
    await new Promise((resolve) => setImmediate(resolve));
    expect(noted).toEqual([...logged.slice(0, 60).map(({ message }) => message), null]);
  });

  test('tells at once when it is something else', () => {
    trouble.failed(explainAlarm('low on disk'));
    trouble.failed(explainAlarm('low on memory'));
    trouble.failed(new Error('the database is gone'));
    trouble.failed(explainAlarm('low on disk'));
    expect(logged.map((line) => line['reason'])).toEqual([
      'low on disk',
      'low on memory',
      'the database is gone',
    ]);
    expect(logged[2]?.message).toBe('Nothing goes out');
  });

  test('what comes and goes many times a second is two lines a minute', () => {
    for (; now < 120_000; now += 200) {
      trouble.failed(explainAlarm('low on disk'));
      trouble.recovered();
    }
    expect(logged).toHaveLength(4);
  });
});
