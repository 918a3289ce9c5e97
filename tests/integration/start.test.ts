// `npm start` as a person has it: from nothing, stopped with Ctrl-C, killed, and started again.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { sql } from 'kysely';
import { freePort } from '../../local/ports';
import { VARIABLES } from '../../shared/config/environment';
import { openDatabase } from '../../shared/db/connection';
import { openClient } from '../setup/broker';
import { registration } from '../setup/people';
import { eventually } from '../setup/service';

const ADMIN = { username: 'chief', password: 'the password of the chief' };

let checkout: string;
let environment: NodeJS.ProcessEnv;
let url: string;
const children: ChildProcess[] = [];
/** The one that the later tests use. */
let running: Awaited<ReturnType<typeof start>>;
beforeAll(async () => {
  checkout = await mkdtemp(join(tmpdir(), 'rollcall-start-'));
  await chmod(checkout, 0o755);
  // A copy, so that what it builds and what is edited here does not get in the way of the other suites.
  for (const name of [
    'functions',
    'shared',
    'local',
    'scripts',
    'console',
    'pages',
    'package.json',
    'serverless.yml',
    'tsconfig.json',
  ]) {
    await cp(name, join(checkout, name), { recursive: true });
  }
  await symlink(resolve('node_modules'), join(checkout, 'node_modules'));
  const [http, lambda, postgres, amqp, smtp, mail] = await Promise.all(Array.from({ length: 6 }, freePort));
  url = `http://127.0.0.1:${http}`;
  environment = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    // Set, if only to nothing, so that neither this shell nor a .env has a say.
    ...Object.fromEntries(VARIABLES.map((name) => [name, ''])),
    BCRYPT_COST: '4',
    HTTP_PORT: String(http),
    LAMBDA_PORT: String(lambda),
    PG_PORT: String(postgres),
    AMQP_PORT: String(amqp),
    SMTP_PORT: String(smtp),
    MAIL_PORT: String(mail),
    ADMIN_USERNAME: ADMIN.username,
    ADMIN_PASSWORD: ADMIN.password,
  };
});
afterAll(async () => {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGINT');
    await once(child, 'exit');
  }
  await rm(checkout, { recursive: true, force: true });
});

/** @returns once it says that it runs, or has ended */
async function start(...options: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'local/start.ts', ...options], {
    cwd: checkout,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const lines: string[] = [];
  const running = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        lines.push(line);
        if (line.includes('npm run reset')) resolve();
      });
    }
    child.once('close', () => resolve());
  });
  await running;
  return {
    child,
    output: () => lines.join('\n'),
    stop: async () => {
      child.kill('SIGINT');
      await once(child, 'exit');
    },
  };
}

const post = (path: string, body: unknown) =>
  fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

// biome-ignore lint/suspicious/noExplicitAny: a JSON body, whose fields the tests assert one by one
const readJson = (response: Response): Promise<any> => response.json();

async function register(): Promise<string> {
  const response = await post('/register', registration());
  const body = await readJson(response);
  expect({ status: response.status, body }).toMatchObject({ status: 201 });
  return body.user.id;
}

const functionsLog = () => readFile(join(checkout, '.local/functions.log'), 'utf8');

/** Once per test, and not at every look: an address may not log in as often as a test looks. */
async function logIn(): Promise<string> {
  return (await readJson(await post('/login', ADMIN))).accessToken;
}

async function auditEntries(token: string, subject: string): Promise<unknown[]> {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${url}/audit?subject=${subject}`, { headers });
  return (await readJson(response)).entries;
}

/** Whether exchange and queues are there when HTTP is first answered. */
async function topologyAtFirstAnswer(): Promise<unknown> {
  await eventually(
    () => fetch(`${url}/health`).catch(() => null),
    (response) => response !== null,
  );
  const { model, channel } = await openClient(`amqp://guest:guest@127.0.0.1:${environment['AMQP_PORT']}`);
  try {
    await channel.checkExchange('user_events');
    for (const name of ['audit', 'emails', 'webhooks', 'dead_letters'])
      await channel.checkQueue(`rollcall.${name}`);
    return 'there';
  } catch (error) {
    return error;
  } finally {
    await model.close();
  }
}

test('starts from nothing, says where everything is, and ends with Ctrl-C', async () => {
  const atFirstAnswer = topologyAtFirstAnswer();
  const { child, output } = await start();
  expect(output()).toContain('Rollcall is running');
  expect(await atFirstAnswer).toBe('there');
  expect(output()).toContain(`localhost:${environment['HTTP_PORT']}/register`);
  expect(output()).toContain(`localhost:${environment['HTTP_PORT']}/docs`);
  expect(output()).toContain(`127.0.0.1:${environment['PG_PORT']}`);
  expect(output()).toContain(`127.0.0.1:${environment['AMQP_PORT']}`);
  expect(output()).toContain(`chief  password ${ADMIN.password}`);
  const id = await register();
  const token = await logIn();
  await eventually(
    () => auditEntries(token, id),
    (entries) => entries.length === 1,
  );
  expect(await functionsLog()).toContain('"path":"/login"');
  child.kill('SIGINT');
  await once(child, 'exit');
  expect(child.exitCode).toBe(0);
  await expect(fetch(`${url}/health`)).rejects.toThrow();
});

test('a second start keeps the data, a kill -9 loses nothing, and every event is handled once', async () => {
  const { child, output } = await start();
  expect(output()).not.toContain(ADMIN.password);
  const login = await post('/login', ADMIN);
  expect(login.status).toBe(200);

  // Killed in the middle of registrations: whatever was answered with 201 is there afterwards.
  const ids: string[] = [];
  const registering = (async () => {
    for (;;) ids.push(await register());
  })();
  await eventually(
    async () => ids.length,
    (count) => count >= 20,
  );
  child.kill('SIGKILL');
  await registering.catch(() => {});

  running = await start();
  const token = await logIn();
  for (const id of ids) {
    const entries = await eventually(
      () => auditEntries(token, id),
      (found) => found.length > 0,
    );
    expect(entries).toHaveLength(1);
  }
});

test('a taken port is a message that names the variable', async () => {
  const { child, output } = await start();
  expect(output()).toContain(`Port ${environment['HTTP_PORT']} is taken`);
  expect(output()).toContain('Set HTTP_PORT');
  expect(child.exitCode).toBe(1);
});

/** What a function answers whose text the tests below edit. */
const detail = async () => (await readJson(await fetch(`${url}/nowhere`))).detail;
const isServed = (text: string) => eventually(detail, (served) => served === text);

/** As editors, git and `sed -i` save: a new file takes the place of the old one. */
async function edit(from: string, to: string): Promise<void> {
  const file = join(checkout, 'shared/http/methods.ts');
  await writeFile(`${file}~`, (await readFile(file, 'utf8')).replace(from, to));
  await rename(`${file}~`, file);
}

async function isHandled(id: string): Promise<void> {
  const token = await logIn();
  await eventually(
    () => auditEntries(token, id),
    (entries) => entries.length === 1,
  );
}

test('serves an edited function without a restart, and goes on handling events', async () => {
  expect(await detail()).toBe('Route not found');
  await edit('Route not found', 'Edited');
  await isServed('Edited');
  await isHandled(await register());
});

test('an edit ends no request under way', async () => {
  const db = openDatabase(
    { url: `postgres://rollcall:rollcall@127.0.0.1:${environment['PG_PORT']}/postgres`, poolSize: 1 },
    () => {},
  );
  let registered: Promise<string> | undefined;
  await db.transaction().execute(async (tx) => {
    await sql`lock table users in share mode`.execute(tx);
    registered = register();
    await eventually(
      () => sql`select from pg_stat_activity where wait_event_type = 'Lock'`.execute(tx),
      ({ rows }) => rows.length > 0,
    );
    await edit('Edited', 'Edited again');
    await isServed('Edited again');
  });
  await isHandled((await registered) ?? '');
  await db.destroy();
});

test('a broken edit shows its error, leaves what was served, and mends itself', async () => {
  await edit('Edited again', "Broken' (");
  await eventually(
    async () => running.output(),
    (output) => output.includes('methods.ts') && output.includes('from before this edit'),
  );
  expect(await detail()).toBe('Edited again');
  await edit("Broken' (", 'Mended');
  await isServed('Mended');
});

test('an edit that fails when it is loaded leaves what was served, and can be undone', async () => {
  const file = join(checkout, 'shared/http/methods.ts');
  const before = await readFile(file, 'utf8');
  await writeFile(file, `${before}\nthrow new Error('fails when it is loaded');\n`);
  await eventually(
    async () => running.output(),
    (output) => output.includes('fails when it is loaded'),
  );
  expect(await detail()).toBe('Mended');
  const effects = () => running.output().split('The edit is in effect').length;
  const effectsBefore = effects();
  await writeFile(file, before);
  await eventually(
    async () => effects(),
    (count) => count > effectsBefore,
  );
  await isHandled(await register());
  await running.stop();
  expect(running.child.exitCode).toBe(0);
});

test('with --threads, serverless-offline serves the bundles of the functions, each in threads of its own', async () => {
  running = await start('--threads');
  expect(running.output()).toContain('Rollcall is running');
  await isHandled(await register());
  // Each scheduled function runs by our schedule, and not a second time by that of serverless-offline.
  expect(await functionsLog()).toContain('(λ: login)');
  expect(await functionsLog()).not.toContain('Scheduling [');
  expect(existsSync(join(checkout, 'dist/register/index.cjs'))).toBe(true);
  await running.stop();
  expect(running.child.exitCode).toBe(0);
});
