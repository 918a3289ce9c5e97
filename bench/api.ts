// `npm run bench`: what the handlers of the main path cost, beside what a hash alone costs, in one run. In-process,
// as a warm container has it: the gateway and the cold start are not in these figures.
import { cpus } from 'node:os';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { sql } from 'kysely';
import { handler as login } from '../functions/auth/login';
import { handler as register } from '../functions/auth/register';
import { handler as getMe } from '../functions/users/get-me';
import { handler as listUsers } from '../functions/users/list-users';
import { createAdmin } from '../shared/accounts/create-admin';
import type { Db } from '../shared/db/connection';
import type { Endpoint } from '../shared/http/endpoint';
import { hashPassword } from '../shared/passwords/hash';
import { httpEvent } from '../tests/setup/http-event';
import { benchEnvironment } from './environment';
import { format, measure, measureInTurn, percentile } from './statistics';

const PASSWORD = 'a password of the benchmark';
const USERS = Number(process.env['BENCH_USERS'] || 1_000_000);
const PAGE_SIZE = 20;
const DEEP_PAGE = 10_000;

async function main(): Promise<void> {
  const { ctx, servers, close } = await benchEnvironment(8);
  const on = (handler: Endpoint<typeof ctx>) => handler.in(() => ctx);
  const handlers = { register: on(register), login: on(login), me: on(getMe), list: on(listUsers) };
  const expectStatus = (status: number, result: APIGatewayProxyStructuredResultV2) => {
    if (result.statusCode !== status) throw new Error(`${result.statusCode}: ${result.body}`);
    return JSON.parse(result.body ?? '');
  };
  let count = 0;
  const registerOne = async () => {
    const username = `bench_${count++}`;
    const body = { username, email: `${username}@example.com`, password: PASSWORD };
    return expectStatus(201, await handlers.register(httpEvent({ method: 'POST', path: '/register', body })));
  };
  const logInAs = async (username: string) => {
    const body = { username, password: PASSWORD };
    return expectStatus(200, await handlers.login(httpEvent({ method: 'POST', path: '/login', body })));
  };
  console.log(`Node.js ${process.version}, ${cpus().length} × ${cpus()[0]?.model}, ${servers}\n`);

  const { accessToken } = await registerOne();
  await measure(20, registerOne);
  await measure(20, () => logInAs('bench_0'));
  const hash = await measure(200, () => hashPassword(PASSWORD, ctx.config.passwords));
  const hashP50 = percentile(hash, 0.5);
  row('', ['p50 ms', 'p99 ms', 'p50 − hash', '× hash', '/s']);
  report('hash alone', hash, hashP50, 1);
  for (const clients of [1, 8]) {
    report(`register, ${clients} at a time`, await measure(300, registerOne, clients), hashP50, clients);
    report(
      `login, ${clients} at a time`,
      await measure(300, () => logInAs('bench_0'), clients),
      hashP50,
      clients,
    );
  }
  const refuse = async (username: string) => {
    const body = { username, password: 'not the password' };
    expectStatus(401, await handlers.login(httpEvent({ method: 'POST', path: '/login', body })));
  };
  const [known, unknown] = await measureInTurn(
    200,
    () => refuse('bench_0'),
    () => refuse('nobody_at_all'),
  );
  const difference = (percentile(unknown, 0.5) / percentile(known, 0.5) - 1) * 100;
  console.log(
    `refused login: median of 200 for an unknown name ${difference.toFixed(1)} % from that of a known one`,
  );
  const readMe = async () =>
    expectStatus(200, await handlers.me(httpEvent({ path: '/users/me', token: accessToken })));
  await measure(200, readMe);
  for (const clients of [1, 8]) {
    report(`GET /users/me, ${clients} at a time`, await measure(3000, readMe, clients), hashP50, clients);
  }

  console.log(`\nGET /users on ${USERS.toLocaleString('en')} users`);
  await fillUsers(ctx.db, USERS);
  await createAdmin(ctx, 'bench_admin', PASSWORD);
  const admin = (await logInAs('bench_admin')).accessToken;
  const page = async (query: Record<string, string> = {}) =>
    expectStatus(
      200,
      await handlers.list(
        httpEvent({ path: '/users', query: { limit: String(PAGE_SIZE), ...query }, token: admin }),
      ),
    );
  const deep = await cursorOf(ctx.db, DEEP_PAGE * PAGE_SIZE);
  await measure(200, () => page());
  const [first, far] = [await measure(1000, () => page()), await measure(1000, () => page({ cursor: deep }))];
  row('', ['p50 ms', 'p99 ms', '× page 1']);
  for (const [name, times] of [
    ['page 1', first],
    [`page ${DEEP_PAGE.toLocaleString('en')}`, far],
  ] as const) {
    const ratio = percentile(times, 0.5) / percentile(first, 0.5);
    row(name, [format(percentile(times, 0.5)), format(percentile(times, 0.99)), ratio.toFixed(2)]);
  }
  for (const q of ['user_12345', 'user_1']) {
    const times = await measure(50, () => page({ q }));
    row(`q=${q}`, [format(percentile(times, 0.5)), format(percentile(times, 0.99))]);
  }
  await close();
}

function report(name: string, times: number[], hashP50: number, clients: number): void {
  const p50 = percentile(times, 0.5);
  const perSecond = (times.length * 1000 * clients) / times.reduce((sum, ms) => sum + ms, 0);
  row(name, [
    format(p50),
    format(percentile(times, 0.99)),
    format(p50 - hashP50),
    (p50 / hashP50).toFixed(2),
    perSecond.toFixed(0),
  ]);
}

function row(name: string, cells: string[]): void {
  console.log(name.padEnd(28) + cells.map((cell) => cell.padStart(12)).join(''));
}

/** As if they had registered, one a millisecond, up to now. */
async function fillUsers(db: Db, users: number): Promise<void> {
  await sql`
    insert into users (id, username, email, metadata, role, created_at, updated_at)
    select (lpad(to_hex(extract(epoch from now())::bigint * 1000 - ${users} + n), 12, '0') || '7000'
        || lpad(to_hex(32768 + n % 16384), 4, '0') || lpad(to_hex(n), 12, '0'))::uuid,
      'user_' || n, 'user_' || n || '@example.com', '{}', 'user', now(), now()
    from generate_series(1, ${users}::int) as n`.execute(db);
  await sql`vacuum analyze users`.execute(db);
}

async function cursorOf(db: Db, offset: number): Promise<string> {
  const { rows } = await sql<{
    id: string;
  }>`select id from users order by id desc offset ${offset} limit 1`.execute(db);
  return Buffer.from(JSON.stringify(rows[0]?.id ?? null)).toString('base64url');
}

void main();
