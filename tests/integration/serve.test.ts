// `serve` as a container runs it: the bundle alone, in an empty directory, over HTTP, stopped and killed.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { buildServe } from '../../scripts/bundle';
import { HEARTBEAT_MS } from '../../scripts/serve/heartbeat';
import { HASH_MEMORY } from '../../scripts/serve/memory';
import { hasArgon2 } from '../../shared/argon2';
import { VARIABLES } from '../../shared/config/environment';
import { brokerUrl } from '../setup/broker';
import { type TestContext, testContext } from '../setup/context';
import { readBody } from '../setup/http-event';
import { expectRouteDocumented } from '../setup/openapi';
import { PASSWORD, registration } from '../setup/people';
import { eventually, type ServiceRequest } from '../setup/service';

let directory: string;
let ctx: TestContext;
let running: ChildProcess[];
/** Processes that would not end with the one that started them. */
let stopped: number[];
beforeAll(async () => {
  const built = await mkdtemp(join(tmpdir(), 'rollcall-serve-build-'));
  await buildServe(built);
  directory = await mkdtemp(join(tmpdir(), 'rollcall-serve-'));
  await cp(join(built, 'serve'), directory, { recursive: true });
  await rm(built, { recursive: true });
});
afterAll(() => rm(directory, { recursive: true, force: true }));
beforeEach(async () => {
  ctx = await testContext();
  running = [];
  stopped = [];
});
afterEach(async () => {
  for (const pid of stopped) process.kill(pid, 'SIGKILL');
  for (const child of running) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await ctx.close();
});

interface Line {
  message: string;
  parts?: string[];
  port?: number;
  pid?: number;
  consumer?: string;
}

const isStart = ({ message }: Line) => message === 'Rollcall runs';

async function serve(environment: Record<string, string> = {}, args: string[] = []) {
  const { events } = ctx.config;
  const child = spawn(process.execPath, ['index.cjs', ...args], {
    cwd: directory,
    env: {
      PATH: process.env['PATH'],
      ...Object.fromEntries(VARIABLES.map((name) => [name, ''])),
      HOST: '127.0.0.1',
      PORT: '0',
      DATABASE_URL: ctx.config.database.url,
      RABBITMQ_URL: brokerUrl(),
      JWT_SECRET: 'a secret of the tests, long enough',
      BCRYPT_COST: '4',
      QUEUE_TYPE: 'classic',
      RATE_LIMITS: 'off',
      SMTP_URL: 'off',
      EVENT_EXCHANGE: events.exchange,
      QUEUE_PREFIX: events.queuePrefix,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.push(child);
  const lines: Line[] = [];
  let wake = () => {};
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(JSON.parse(line));
    wake();
  });
  const logged = async (fits: (line: Line) => boolean, count = 1): Promise<Line[]> => {
    while (lines.filter(fits).length < count) await new Promise<void>((resolve) => (wake = resolve));
    return lines.filter(fits);
  };
  const exit = once(child, 'exit').then(() => child.exitCode);
  const [started] = await logged(isStart);
  const port = started?.port ?? 0;
  const request = async (
    path: string,
    { method = 'GET', headers = {}, body, token }: ServiceRequest = {},
  ) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const reply = {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: readBody(text, response.headers.get('content-type') ?? undefined),
    };
    expectRouteDocumented(method, path, reply);
    return reply;
  };
  return { child, exit, logged, port, request };
}

/** A connection as a client has it that speaks HTTP by hand. */
async function open(
  port: number,
): Promise<{ socket: Socket; received: () => string; closed: Promise<unknown> }> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (data) => (text += data));
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await once(socket, 'connect');
  return { socket, received: () => text, closed };
}

test('serves the API as API Gateway does, and has every event handled', async () => {
  const { request, logged, child, exit, port } = await serve();
  const registered = await request('/register', { method: 'POST', body: registration() });
  expect(registered.status).toBe(201);
  const { user, accessToken: token } = registered.body;
  const handled = await logged(({ message }) => message === 'An event was handled', 5);
  expect(new Set(handled.map(({ consumer }) => consumer)).size).toBe(5);

  expect((await request(`/users/${user.id}`, { token })).body.username).toBe(user.username);
  const me = await request('/users/me', { token });
  expect(
    (await request('/users/me', { token, headers: { 'if-none-match': me.headers['etag'] ?? '' } })).status,
  ).toBe(304);
  expect((await request('/users/me', { method: 'HEAD', token })).headers['content-length']).toBeDefined();
  expect(
    (await request('/auth/login', { method: 'POST', body: { username: user.username, password: PASSWORD } }))
      .status,
  ).toBe(200);
  expect((await request('/users?limit=1&limit=2', { token })).status).toBe(403);
  expect((await request('/nowhere')).status).toBe(404);
  expect((await request('/users/%E0%A4%A', { token })).status).toBe(404);
  expect((await request('/login', { method: 'OPTIONS' })).status).toBe(204);
  expect((await request('/health')).body.database).toBe('up');
  expect((await fetch(`http://127.0.0.1:${port}/health/live`)).status).toBe(200);
  expect((await request('/docs')).status).toBe(200);
  expect((await request('/docs/openapi-explorer.js')).status).toBe(200);
  child.kill('SIGTERM');
  expect(await exit).toBe(0);
});

test.each([
  ['GET http://auth.example.com/health HTTP/1.1', '200', '"database":"up"'],
  ['GET HTTP://auth.example.com:80/health?x=1 HTTP/1.1', '200', '"database":"up"'],
  ['GET http://auth.example.com/health/live HTTP/1.1', '200', '"stuck":[]'],
  ['GET http://auth.example.com HTTP/1.1', '302', 'location: console'],
  ['GET //auth.example.com/health HTTP/1.1', '404', 'not_found'],
])('RFC 9112, section 3.2.2: a target may be a whole URL: %s', async (line, status, content) => {
  const { port } = await serve();
  const { socket, received, closed } = await open(port);
  socket.write(`${line}\r\nhost: x\r\nconnection: close\r\n\r\n`);
  await closed;
  expect(received()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(received()).toContain(content);
});

test('RFC 9112, section 3.2.2: the host of such a target counts, and not that of the header', async () => {
  const { port } = await serve();
  const { socket, received, closed } = await open(port);
  socket.write('POST http://auth.example.com/console/session/refresh HTTP/1.1\r\nhost: other.example\r\n');
  socket.write('origin: http://auth.example.com\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
  await closed;
  expect(received()).toMatch(/^HTTP\/1\.1 204 /);
});

test('refuses a body that is too large without reading all of it, and half a request after its time', async () => {
  const { port, request } = await serve();
  const large = await open(port);
  large.socket.write(
    'POST /register HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100000000\r\n\r\n',
  );
  large.socket.write('x'.repeat(100_000));
  await large.closed;
  expect(large.received()).toMatch(/^HTTP\/1\.1 413 /);

  const headers = await open(port);
  headers.socket.write(`GET / HTTP/1.1\r\nhost: x\r\nx-large: ${'x'.repeat(20_000)}\r\n\r\n`);
  await headers.closed;
  expect(headers.received()).toMatch(/^HTTP\/1\.1 431 /);

  const slow = await open(port);
  slow.socket.write('POST /register HTTP/1.1\r\nhost: x\r\n');
  const silent = await open(port);
  expect((await request('/health')).status).toBe(200);
  await Promise.all([slow.closed, silent.closed]);
  expect(slow.received()).toMatch(/^HTTP\/1\.1 408 /);
});

test('a request under way is answered before the process stops, and a new one is not taken', async () => {
  const { port, child, exit, logged } = await serve();
  const one = await open(port);
  const body = JSON.stringify(registration());
  one.socket.write(
    `POST /register HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`,
  );
  one.socket.write(body.slice(0, 10));
  // The server has seen the request when it answers one that came later.
  await fetch(`http://127.0.0.1:${port}/health/live`);
  child.kill('SIGTERM');
  await logged(({ message }) => message.includes('is stopping after'));
  await eventually(
    () =>
      open(port).then(
        ({ socket }) => {
          socket.destroy();
          return true;
        },
        () => false,
      ),
    (open) => !open,
  );
  one.socket.write(body.slice(10));
  await one.closed;
  expect(one.received()).toMatch(/^HTTP\/1\.1 201 /);
  expect(one.received()).toMatch(/\r\nconnection: close\r\n/i);
  expect(await exit).toBe(0);
});

test('a connection that a browser has opened ahead does not hold up the stop', async () => {
  const { child, exit, port } = await serve();
  const { closed } = await open(port);
  child.kill('SIGTERM');
  expect(await exit).toBe(0);
  await closed;
});

test('registrations whose passwords are being hashed, or wait for their turn, are answered before it stops', async () => {
  // On threads of its own, whatever the Node.js.
  const { port, child, exit } = await serve({ PASSWORD_HASH: 'bcrypt', BCRYPT_COST: '10' });
  const clients = await Promise.all(Array.from({ length: 6 }, () => open(port)));
  for (const { socket } of clients) {
    const body = JSON.stringify(registration());
    socket.write(
      `POST /register HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
  }
  // The server has seen these requests when it answers one that came later.
  await fetch(`http://127.0.0.1:${port}/health/live`);
  child.kill('SIGTERM');
  for (const { closed, received } of clients) {
    await closed;
    expect(received()).toMatch(/^HTTP\/1\.1 201 /);
  }
  expect(await exit).toBe(0);
});

test('one process gets the environment for the memory of hashes, where it can', async () => {
  const { child } = await serve();
  const isLinux = process.platform === 'linux';
  const environment = isLinux ? await readFile(`/proc/${child.pid}/environ`, 'utf8') : '';
  for (const [name, value] of Object.entries(HASH_MEMORY))
    expect(environment.split('\0').includes(`${name}=${value}`)).toBe(
      isLinux && 'execve' in process && hasArgon2(),
    );
});

test('what the environment says of this memory stays', async () => {
  const { child } = await serve({ GLIBC_TUNABLES: 'glibc.malloc.hugetlb=0' });
  const environment =
    process.platform === 'linux' ? await readFile(`/proc/${child.pid}/environ`, 'utf8') : 'GLIBC_TUNABLES=';
  expect(environment.match(/GLIBC_TUNABLES=/g)).toHaveLength(1);
  expect(environment).not.toContain(`GLIBC_TUNABLES=${HASH_MEMORY.GLIBC_TUNABLES}`);
});

test.each(['to the first process alone', 'to all of them, as from a terminal'])(
  'several processes end after their work at a SIGINT %s',
  async (to) => {
    const { child, exit, logged } = await serve({ WEB_CONCURRENCY: '2' });
    const workers = (await logged(isStart, 2)).map(({ pid }) => pid);
    for (const pid of to.includes('all') ? [...workers, child.pid] : [child.pid])
      process.kill(pid ?? 0, 'SIGINT');
    expect(await exit).toBe(0);
    const stops = await logged(({ message }) => message === 'Rollcall is stopping after the current work', 2);
    expect(stops).toHaveLength(2);
    expect(await logged(({ message }) => message.startsWith('Second signal'), 0)).toEqual([]);
  },
);

test('several processes share the port; one that is killed is replaced, and no registration is lost', async () => {
  const { port, child, exit, logged } = await serve({ WEB_CONCURRENCY: '2' });
  const starts = await logged(isStart, 2);
  const ids: string[] = [];
  let rounds = 0;
  while (ids.length < 40) {
    const response = await fetch(`http://127.0.0.1:${port}/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify(registration()),
    }).catch(() => null);
    if (response?.status === 201) ids.push(((await response.json()) as { user: { id: string } }).user.id);
    rounds += 1;
    if (rounds === 20) {
      process.kill(starts[0]?.pid ?? 0, 'SIGKILL');
    }
    if (response === null) await wait(10);
  }
  await logged(isStart, 3);
  const stored = await ctx.db.selectFrom('users').select('id').where('id', 'in', ids).execute();
  expect(stored).toHaveLength(40);
  child.kill('SIGTERM');
  expect(await exit).toBe(0);
});

test('parts from the command line are divided among the processes, as those of SERVE are', async () => {
  const { child, exit, logged } = await serve({ WEB_CONCURRENCY: '2' }, ['http,relay']);
  const starts = await logged(isStart, 2);
  expect(starts.map(({ parts }) => parts?.join()).sort()).toEqual(['http', 'http,relay']);
  child.kill('SIGTERM');
  expect(await exit).toBe(0);
});

test('of several processes, one that hangs is replaced, and the others are not', async () => {
  // Thirty times as many heartbeats: five minutes are ten seconds.
  const fast = join(directory, 'fast.cjs');
  await writeFile(
    fast,
    `const { setInterval } = globalThis;
    globalThis.setInterval = (work, ms) => setInterval(work, ms === ${HEARTBEAT_MS} ? ms / 30 : ms);`,
  );
  const { child, exit, logged } = await serve({ WEB_CONCURRENCY: '2', NODE_OPTIONS: `--require ${fast}` });
  const [, hung] = await logged(isStart, 2);
  process.kill(hung?.pid ?? 0, 'SIGSTOP');
  stopped.push(hung?.pid ?? 0);
  await logged(isStart, 3);
  stopped.pop();
  const replaced = await logged(({ message }) => message.endsWith('replaced'));
  expect(replaced.map(({ pid }) => pid)).toEqual([hung?.pid]);
  child.kill('SIGTERM');
  expect(await exit).toBe(0);
});
