// `serve` without HTTP, as a container runs it: the bundle alone, in an empty directory, stopped, killed and started again.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { sql } from 'kysely';
import { freePort } from '../../local/ports';
import { buildServe } from '../../scripts/bundle';
import { invokeInProcess } from '../../scripts/serve/invoke-in-process';
import { queueOf } from '../../shared/broker/topology';
import { VARIABLES } from '../../shared/config/environment';
import { brokerUrl, openClient, Received } from '../setup/broker';
import { type TestContext, testContext } from '../setup/context';
import { countUnsent, fillOutbox, inversions, makeDue } from '../setup/outbox';
import { startProxy, type TcpProxy } from '../setup/proxy';
import { eventually } from '../setup/service';

const USERS = 1_000;
const EVENTS = 2 * USERS;

let built: string;
let directory: string;
let ctx: TestContext;
let database: TcpProxy;
let broker: TcpProxy;
let workers: ChildProcess[];

beforeAll(async () => {
  built = await mkdtemp(join(tmpdir(), 'rollcall-worker-build-'));
  await buildServe(built);
});
afterAll(() => rm(built, { recursive: true, force: true }));

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rollcall-worker-'));
  await copyFile(join(built, 'serve/index.cjs'), join(directory, 'index.cjs'));
  ctx = await testContext({ RELAY_BATCH_SIZE: '100', POLL_BATCH_SIZE: '20' });
  [database, broker] = await Promise.all([startProxy(ctx.config.database.url), startProxy(brokerUrl())]);
  workers = [];
});
afterEach(async () => {
  for (const worker of workers) {
    if (worker.exitCode !== null || worker.signalCode !== null) continue;
    worker.kill('SIGKILL');
    await once(worker, 'exit');
  }
  await database.stop();
  await broker.stop();
  await ctx.close();
  await rm(directory, { recursive: true, force: true });
});

interface Line {
  message: string;
  consumer?: string;
  eventId?: string;
  consequence?: string;
}

function startWorker(environment: Record<string, string> = {}) {
  const { events } = ctx.config;
  const child = spawn(process.execPath, ['index.cjs', 'relay,poller,webhooks,purge,erasures'], {
    cwd: directory,
    env: {
      PATH: process.env['PATH'],
      ...Object.fromEntries(VARIABLES.map((name) => [name, ''])),
      DATABASE_URL: database.url,
      RABBITMQ_URL: broker.url,
      JWT_SECRET: 'a secret of the tests, long enough',
      QUEUE_TYPE: 'classic',
      EVENT_EXCHANGE: events.exchange,
      QUEUE_PREFIX: events.queuePrefix,
      SMTP_URL: 'off',
      // Any that is free.
      PORT: '0',
      RELAY_BATCH_SIZE: '100',
      POLL_BATCH_SIZE: '20',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  workers.push(child);
  const lines: Line[] = [];
  let stderr = '';
  child.stderr.on('data', (text: Buffer) => (stderr += text));
  let wake = () => {};
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(JSON.parse(line));
    wake();
  });
  const exit = once(child, 'close').then(() => ({
    code: child.exitCode,
    signal: child.signalCode,
    stderr,
    auditedIds: lines.filter(isAudited).map((line) => line.eventId ?? ''),
  }));
  return {
    child,
    exit,
    /** Resolves when so many lines that fit have been logged. */
    async logged(fits: (line: Line) => boolean, count = 1): Promise<void> {
      while (lines.filter(fits).length < count) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}

const isAudited = ({ message, consumer }: Line) => message === 'An event was handled' && consumer === 'audit';
const says = (text: string) => (line: Line) => line.message.includes(text);
const means = (text: string) => (line: Line) => line.consequence?.includes(text) ?? false;

async function audited(): Promise<number> {
  const { count } = await ctx.db
    .selectFrom('audit_log')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

async function connectionsOfFirst(): Promise<number> {
  const { rows } = await sql`select from pg_stat_activity where application_name = 'first'`.execute(ctx.db);
  return rows.length;
}

const isDone = (count: number) => count === EVENTS;

test('SIGTERM in the midst of a backlog: the batch in hand is finished, and the next start does the rest', async () => {
  const client = await openClient();
  const received = await Received.bound(client.channel, ctx.config.events.exchange);
  await fillOutbox(ctx, USERS, 1);
  const first = startWorker();
  await first.logged(isAudited, 100);
  first.child.kill('SIGTERM');
  const stopped = await first.exit;
  expect([stopped.code, stopped.signal, stopped.stderr]).toEqual([0, null, '']);

  const handled = await audited();
  expect(handled).toBeGreaterThanOrEqual(100);
  expect(handled).toBeLessThan(EVENTS);
  // What was handled is acknowledged, what was published is marked, and all else is where it was.
  const { messageCount } = await client.channel.checkQueue(queueOf(ctx.config.events, 'audit'));
  expect(handled + messageCount + (await countUnsent(ctx))).toBe(EVENTS);

  const second = startWorker();
  await eventually(audited, isDone);
  second.child.kill('SIGTERM');
  const finished = await second.exit;
  expect(finished.code).toBe(0);
  const ids = [...stopped.auditedIds, ...finished.auditedIds];
  expect(ids).toHaveLength(EVENTS);
  expect(new Set(ids).size).toBe(EVENTS);
  await received.atLeast(EVENTS);
  expect(received.messages).toHaveLength(EVENTS);
  expect(inversions(received.bodies())).toEqual([]);
  await client.model.close();
});

test('kill -9 in the midst of a backlog: the next start does the rest, and every effect is there once', async () => {
  await fillOutbox(ctx, USERS, 1);
  const first = startWorker({ DATABASE_URL: `${database.url}?application_name=first` });
  await first.logged(isAudited, 100);
  first.child.kill('SIGKILL');
  await first.exit;
  // The database may still be at a claim that was sent to it before the end.
  await eventually(connectionsOfFirst, (connections) => connections === 0);
  // A claim of the dead relay runs out after a minute, which need not pass here.
  await makeDue(ctx);
  const second = startWorker();
  await eventually(audited, isDone);
  second.child.kill('SIGTERM');
  expect((await second.exit).code).toBe(0);
  expect(await countUnsent(ctx)).toBe(0);
  // Longer than a claim lasts, where one outlives its relay all the same.
});

test('waits for a database and a broker that are not there yet, and stops while it waits', async () => {
  await database.stop();
  await broker.stop();
  await fillOutbox(ctx, 1);
  const waiting = startWorker();
  await waiting.logged(says('the tasks wait for it'));
  waiting.child.kill('SIGINT');
  expect((await waiting.exit).code).toBe(0);

  const worker = startWorker();
  await worker.logged(says('the tasks wait for it'));
  await database.start();
  await worker.logged(means('The relay cannot work'));
  await worker.logged(means('The poller cannot work'));
  await broker.start();
  await worker.logged(isAudited);
  worker.child.kill('SIGTERM');
  expect((await worker.exit).code).toBe(0);
});

test('handles on where the path to the database falls silent under all of its connections', async () => {
  const worker = startWorker();
  await fillOutbox(ctx, 20);
  await worker.logged(isAudited, 20);
  // A purge gives a statement up to 50 s, and its first run would still be under way on a busy machine.
  await worker.logged(says('Data past its retention was purged'));
  database.silence();
  await fillOutbox(ctx, 20);
  await worker.logged(isAudited, 40);
  worker.child.kill('SIGTERM');
  expect((await worker.exit).code).toBe(0);
});

test('a second signal ends it at once, where the broker does not answer', async () => {
  const worker = startWorker();
  await worker.logged(says('Rollcall runs'));
  await fillOutbox(ctx, 1);
  await worker.logged(isAudited);
  broker.blackHole();
  worker.child.kill('SIGTERM');
  await worker.logged(says('is stopping after the current work'));
  worker.child.kill('SIGTERM');
  expect((await worker.exit).code).toBe(1);
});

test('says on PORT that it is alive, with or without its servers', async () => {
  const port = await freePort();
  await database.stop();
  const worker = startWorker({ PORT: String(port) });
  await worker.logged(says('the tasks wait for it'));
  const answer = await fetch(`http://127.0.0.1:${port}/`);
  expect([answer.status, await answer.json()]).toEqual([200, { status: 'ok', stuck: [] }]);
});

test.each([
  ['a missing variable', { DATABASE_URL: '' }, 'DATABASE_URL is missing'],
  ['a port that is none', { PORT: 'http' }, 'PORT must be a port number'],
])('ends with one message for %s', async (_name, environment, message) => {
  const { code, stderr } = await startWorker(environment).exit;
  expect(code).toBe(1);
  expect(stderr).toContain(message);
  expect(stderr).not.toContain('    at ');
});

test('a function that the worker does not have is not the fault of its messages', async () => {
  const outcome = await invokeInProcess({ functionPrefix: 'rollcall-prod-' })('rollcall-prod-nobody', {});
  expect(outcome).toEqual({
    kind: 'unavailable',
    reason: expect.stringContaining('no function rollcall-prod-nobody; it has rollcall-prod-a'),
  });
});
