import { handler as login } from '../../../functions/auth/login';
import { createAdmin } from '../../../shared/accounts/create-admin';
import { type TestContext, testContext } from '../../setup/context';
import { administer } from '../../setup/database';
import { eventsOf } from '../../setup/events';
import { call } from '../../setup/http';
import { PASSWORD, registerPerson, registration } from '../../setup/people';
import { startScript } from '../../setup/script';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext();
});
afterAll(() => ctx.close());

const run = (...args: string[]) => startScript(ctx, 'scripts/create-admin.ts', args).result;
const logIn = (username: string, password: string) =>
  call(login, ctx, { method: 'POST', body: { username, password } });

test('makes an administrator, whose generated password is printed once', async () => {
  const { username, email } = registration();
  const { exitCode, stdout, stderr } = await run('--username', username, '--email', email);
  expect([exitCode, stderr]).toEqual([0, '']);
  const [, password = ''] = /^Password: (\S{20})/m.exec(stdout) ?? [];
  const answer = await logIn(username, password);
  expect(answer.status).toBe(200);
  expect(answer.body.user).toMatchObject({ username, email, role: 'admin', version: 1 });
  expect((await eventsOf(ctx, answer.body.user.id))[0]).toBe('user.created');
});

test('takes a password that is given, and does not print it', async () => {
  const { username } = registration();
  const { exitCode, stdout, stderr } = await run('--username', username, '--password', PASSWORD);
  expect(exitCode).toBe(0);
  expect(stdout + stderr).not.toContain(PASSWORD);
  const answer = await logIn(username, PASSWORD);
  expect([answer.status, answer.body.user.email]).toEqual([200, null]);
});

test('a taken name or address changes nothing, and says so', async () => {
  const { user } = await registerPerson(ctx);
  const name = await run('--username', user.username.toUpperCase());
  expect([name.exitCode, name.stdout]).toEqual([1, '']);
  expect(name.stderr).toContain(`A user called ${user.username.toUpperCase()} already exists`);

  const { username } = registration();
  const address = await run('--username', username, '--email', String(user.email));
  expect([address.exitCode, address.stdout]).toEqual([1, '']);
  expect(address.stderr).toContain(`Another user has the email address ${user.email}`);
  expect((await logIn(user.username, PASSWORD)).body.user.role).toBe('user');
});

test('says all that is wrong at once', async () => {
  const { exitCode, stderr } = await run('--username', 'x', '--email', 'y', '--password', 'z');
  expect(exitCode).toBe(1);
  for (const what of ['username must', 'email address must', 'password must']) expect(stderr).toContain(what);
});

test.each([
  [[], 'The username is missing'],
  [['--user', 'chief'], "Unknown option '--user'"],
  [['chief'], 'Unexpected argument'],
])('explains itself to %j', async (args, message) => {
  const { exitCode, stderr } = await run(...args);
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining(message)]);
  expect(stderr).toContain('Usage: npm run admin:create');
});

test('a password that repeats the name is refused', async () => {
  await expect(createAdmin(ctx, 'longenough1', 'LongEnough1')).rejects.toThrow(
    'must not be based on the username',
  );
});

test('two at once make one', async () => {
  const { username } = registration();
  const made = await Promise.all([createAdmin(ctx, username), createAdmin(ctx, username)]);
  expect(made.filter((password) => password === null)).toHaveLength(1);
});

test('a database without the schema is told from one that is down', async () => {
  const name = `rollcall_empty_${process.pid}`;
  await administer(`create database ${name}`);
  const url = new URL(ctx.config.database.url);
  url.pathname = `/${name}`;
  const start = (DATABASE_URL: string) =>
    startScript(ctx, 'scripts/create-admin.ts', ['--username', 'chief'], { DATABASE_URL }).result;
  const empty = await start(url.toString());
  await administer(`drop database ${name} with (force)`);
  expect([empty.exitCode, empty.stderr]).toEqual([1, expect.stringContaining('npm run migrate')]);
  const down = await start('postgres://127.0.0.1:1/nothing');
  expect([down.exitCode, down.stderr]).toEqual([1, expect.stringContaining('ECONNREFUSED')]);
});
