// The Dockerfile's own commands, in empty directories in the place of its stages: there is no Docker here to run it with.
// What this leaves out is the base image, and `npm ci`, which .ci/run does at its start.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { freePort } from '../../local/ports';
import { HASH_MEMORY } from '../../scripts/serve/memory';
import { readConfig } from '../../shared/config';
import { VARIABLES } from '../../shared/config/environment';
import { createTestDatabase } from '../setup/database';
import { eventually } from '../setup/service';

interface Stage {
  image: string;
  instructions: { name: string; args: string }[];
}

async function readStages(): Promise<[Stage, Stage]> {
  const text = (await readFile('Dockerfile', 'utf8')).replaceAll(/\\\n\s*/g, '');
  const stages: Stage[] = [];
  for (const [, name = '', args = ''] of text.matchAll(/^([A-Z]+) (.*)$/gm)) {
    if (name === 'FROM') stages.push({ image: args, instructions: [] });
    else stages.at(-1)?.instructions.push({ name, args });
  }
  const [build, final] = stages;
  if (!build || !final || stages.length > 2) throw new Error('The Dockerfile has two stages');
  return [build, final];
}

const argsOf = (stage: Stage, name: string) =>
  stage.instructions.filter((one) => one.name === name).map(({ args }) => args);
const command = (args: string): string[] => JSON.parse(args.slice(args.indexOf('[')));

let buildDirectory: string;
let finalDirectory: string;
beforeAll(async () => {
  buildDirectory = await mkdtemp(join(tmpdir(), 'rollcall-image-build-'));
  finalDirectory = await mkdtemp(join(tmpdir(), 'rollcall-image-'));
});
afterAll(async () => {
  await rm(buildDirectory, { recursive: true });
  await rm(finalDirectory, { recursive: true });
});

test('builds from what it copies alone, and runs from what it built', async () => {
  const [build, final] = await readStages();
  for (const { image } of [build, final]) expect(image).toMatch(/^node:24-/);
  for (const copy of argsOf(build, 'COPY')) {
    for (const source of copy.split(' ').slice(0, -1)) {
      await cp(source, join(buildDirectory, source), { recursive: true });
    }
  }
  const [install, ...commands] = argsOf(build, 'RUN');
  expect(install).toBe('npm ci --ignore-scripts --no-audit --no-fund');
  await symlink(resolve('node_modules'), join(buildDirectory, 'node_modules'));
  for (const line of commands) {
    const [file = '', ...args] = line.split(' ');
    await promisify(execFile)(file, args, { cwd: buildDirectory });
  }
  for (const copy of argsOf(final, 'COPY')) {
    for (const source of copy.split(' ').slice(1, -1)) {
      const [directory, pattern] = [dirname(source).replace('/rollcall/', ''), basename(source)];
      const isCopied = (file: string) => file.endsWith(pattern.replace('*', ''));
      for (const file of (await readdir(join(buildDirectory, directory))).filter(isCopied))
        await cp(join(buildDirectory, directory, file), join(finalDirectory, file));
    }
  }
  expect((await readdir(finalDirectory)).sort()).toEqual([
    'bcrypt-thread.cjs',
    'console-app.css.gz',
    'console-app.js.gz',
    'index.cjs',
    'openapi-explorer.js.gz',
    'pages-app.css.gz',
    'pages-app.js.gz',
  ]);
  expect(argsOf(final, 'USER')).toEqual(['node']);
  // Else the program would start a second time, and a hash would take longer.
  const environment = argsOf(final, 'ENV').join(' ').split(' ');
  for (const [name, value] of Object.entries(HASH_MEMORY)) expect(environment).toContain(`${name}=${value}`);

  // Its servers are not there: it waits for them, healthy, and stops when it is told to.
  const port = String(await freePort());
  const [file = '', ...args] = command(argsOf(final, 'CMD')[0] ?? '');
  const worker = spawn(file, args, {
    cwd: finalDirectory,
    env: {
      PATH: process.env['PATH'],
      ...Object.fromEntries(VARIABLES.map((name) => [name, ''])),
      NODE_ENV: 'production',
      PORT: port,
      DATABASE_URL: 'postgres://127.0.0.1:1/none',
      RABBITMQ_URL: 'amqp://127.0.0.1:1',
      JWT_SECRET: 'a secret of the tests, long enough',
    },
    stdio: 'ignore',
  });
  const [checker = '', ...check] = command(argsOf(final, 'HEALTHCHECK')[0] ?? '');
  const isHealthy = () =>
    promisify(execFile)(checker, check, { env: { PATH: process.env['PATH'], PORT: port } }).then(
      () => true,
      () => false,
    );
  expect(await eventually(isHealthy, (healthy) => healthy)).toBe(true);
  worker.kill('SIGTERM');
  await once(worker, 'exit');
  expect(worker.exitCode).toBe(0);
  expect(await isHealthy()).toBe(false);
});

test('migrates, creates an administrator, and says how that is used', async () => {
  const database = await createTestDatabase('template0');
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, ['index.cjs', ...args], {
      cwd: finalDirectory,
      env: { PATH: process.env['PATH'], DATABASE_URL: database.url },
    });
  expect((await run('migrate')).stdout).toContain('Applied: 0001');
  const { stdout } = await run('admin:create', '--username', 'chief');
  expect(stdout).toMatch(/The administrator chief can log in now\.\nPassword: \S+/);
  await expect(run('admin:create')).rejects.toThrow('Usage: node index.cjs admin:create --username NAME');
  await database.drop();
});

interface Compose {
  services: Record<'rollcall' | 'migrate', Record<string, unknown> & { environment: Record<string, string> }>;
}

test('docker-compose.yml configures the image completely, and migrates before it serves', async () => {
  const { services }: Compose = parse(await readFile('docker-compose.yml', 'utf8'));
  const { rollcall, migrate } = services;
  expect(migrate.environment).toEqual(rollcall.environment);
  expect(Object.keys(rollcall.environment).filter((name) => !VARIABLES.includes(name))).toEqual([]);
  readConfig(rollcall.environment);
  expect(migrate['command']).toEqual(['node', 'index.cjs', 'migrate']);
  expect(rollcall['depends_on']).toEqual({ migrate: { condition: 'service_completed_successfully' } });
  const [, final] = await readStages();
  const [, port] = /PORT=(\d+)/.exec(argsOf(final, 'ENV')[0] ?? '') ?? [];
  expect(rollcall['ports']).toEqual([`127.0.0.1:8080:${port}`]);
});
