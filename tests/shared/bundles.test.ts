import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Metafile } from 'esbuild';
import { buildFunctions } from '../../scripts/bundle';
import { functionFiles, ROOT } from '../../scripts/function-files';
import { httpFunctions } from '../../scripts/openapi/routes';
import { brokerUrl, uniqueNames } from '../setup/broker';
import { createTestDatabase } from '../setup/database';
import { httpEvent } from '../setup/http-event';
import { PASSWORD, registration } from '../setup/people';

const KB = 1024;
const BUDGET = 300 * KB;
/** With amqplib, for those that publish inline or ask the broker how it is. */
const BROKER_BUDGET = 450 * KB;

let outdir: string;
let outputs: Metafile['outputs'];

beforeAll(async () => {
  outdir = await mkdtemp(join(tmpdir(), 'rollcall-bundles-'));
  outputs = await buildFunctions(outdir);
});
afterAll(() => rm(outdir, { recursive: true, force: true }));

const names = [...functionFiles().keys()];

function bundle(name: string): Metafile['outputs'][string] {
  const found = Object.entries(outputs).find(([file]) => file.endsWith(`/${name}/index.cjs`));
  if (!found) throw new Error(`No bundle of ${name}`);
  return found[1];
}

const takesIn = (name: string, part: string) =>
  Object.keys(bundle(name).inputs).some((file) => file.includes(`node_modules/${part}/`));

test('every HTTP function keeps its budget', async () => {
  const functions = [...(await httpFunctions()).map(({ name }) => name), 'fallback'];
  expect(functions).toEqual(expect.arrayContaining(['register', 'login', 'get-me']));
  const tooLarge = functions.filter(
    (name) => bundle(name).bytes > (takesIn(name, 'amqplib') ? BROKER_BUDGET : BUDGET),
  );
  expect(tooLarge).toEqual([]);
});

test('a function is a definition and a call: its file has at most 40 lines', async () => {
  const lengths = await Promise.all(
    [...functionFiles().values()].map(async (file) => ({
      file,
      lines: (await readFile(join(ROOT, file), 'utf8')).trimEnd().split('\n').length,
    })),
  );
  expect(lengths.filter(({ lines }) => lines > 40)).toEqual([]);
});

test('a folder is about fifteen files: one of over twenty is several subjects', async () => {
  const entries = await Promise.all(
    ['functions', 'shared'].map((part) =>
      readdir(join(ROOT, part), { recursive: true, withFileTypes: true }),
    ),
  );
  const counts = new Map<string, number>();
  for (const entry of entries.flat()) {
    // One file for each change of the schema there has been.
    if (!entry.isFile() || entry.parentPath.endsWith('migrations')) continue;
    counts.set(entry.parentPath, (counts.get(entry.parentPath) ?? 0) + 1);
  }
  expect(counts.size).toBeGreaterThan(40);
  expect([...counts].filter(([, count]) => count > 20)).toEqual([]);
});

test('what does not publish takes in no broker client', async () => {
  const sources = await Promise.all(
    [...functionFiles()].map(async ([name, file]) => ({
      name,
      source: await readFile(join(ROOT, file), 'utf8'),
    })),
  );
  const quiet = sources.filter(({ source }) => source.includes('context: containerContext'));
  expect(quiet.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['login', 'refresh', 'logout', 'get-me', 'get-user']),
  );
  expect(quiet.filter(({ name }) => takesIn(name, 'amqplib')).map(({ name }) => name)).toEqual([]);
});

test('what touches no data takes in no database driver', () => {
  const plain = [
    'jwks',
    'openapi',
    'asyncapi',
    'docs',
    'docs-renderer',
    'root',
    'console',
    'console-asset',
    'hosted-page',
    'page-asset',
    'fallback',
  ];
  expect(plain.filter((name) => takesIn(name, 'pg') || takesIn(name, 'kysely'))).toEqual([]);
});

test('no bundle carries what the OpenAPI document says, but the one that serves it', async () => {
  const texts = await Promise.all(
    (await httpFunctions()).map(async ({ name, file }) => {
      const { documentation } = await import(join(ROOT, file));
      const bundled = await readFile(join(outdir, name, 'index.cjs'), 'utf8');
      return {
        name,
        found: bundled.includes(documentation.summary) || bundled.includes('Rises with every change'),
      };
    }),
  );
  expect(texts.filter(({ found }) => found).map(({ name }) => name)).toEqual(['openapi']);
});

test('only poll-queues needs the AWS SDK, which Lambda provides', () => {
  const needing = names.filter((name) =>
    bundle(name).imports.some(({ path }) => path.startsWith('@aws-sdk/')),
  );
  expect(needing).toEqual(['poll-queues']);
  expect(names.filter((name) => takesIn(name, '@aws-sdk'))).toEqual([]);
});

/** Runs in a process of its own, with nothing but the bundles: what a container does. */
const SCRIPT = `
  const [outdir, steps] = [process.argv[1], JSON.parse(process.argv[2])];
  (async () => {
    const answers = [];
    for (const { name, event } of steps) {
      const { handler } = require(outdir + '/' + name + '/index.cjs');
      answers.push((await handler(event)).statusCode);
    }
    console.error(JSON.stringify(answers));
    process.exit(0);
  })();`;

test('the bundles run without what is left out of them', async () => {
  const database = await createTestDatabase();
  const env = {
    DATABASE_URL: database.url,
    RABBITMQ_URL: brokerUrl(),
    JWT_SECRET: 'a secret of the tests, long enough',
    BCRYPT_COST: '4',
    ...uniqueNames(),
  };
  const body = registration();
  const post = (fields: Record<string, unknown>) => httpEvent({ method: 'POST', body: fields });
  const steps = [
    { name: 'register', event: post(body) },
    { name: 'login', event: post({ username: body.username, password: PASSWORD }) },
    { name: 'refresh', event: post({ refreshToken: 'nonsense' }) },
    { name: 'get-me', event: httpEvent({ token: 'nonsense' }) },
    { name: 'jwks', event: httpEvent({}) },
    { name: 'health', event: httpEvent({}) },
  ];
  const { stderr } = await promisify(execFile)(
    process.execPath,
    ['-e', SCRIPT, outdir, JSON.stringify(steps)],
    { env },
  );
  expect(JSON.parse(stderr)).toEqual([201, 200, 401, 401, 200, 200]);
  await database.drop();
});
