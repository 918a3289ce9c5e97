// How long the database may take, and what that costs the connection.
import { sql } from 'kysely';
import { type Config, readConfig } from '../../../shared/config';
import { createContext, withLongTimeouts } from '../../../shared/context/context';
import { type Db, openDatabase } from '../../../shared/db/connection';
import { DatabaseUnavailable } from '../../../shared/db/unavailable';
import { DomainError } from '../../../shared/errors';
import { createLog } from '../../../shared/log';
import { createTestDatabase } from '../../setup/database';
import { backendPid, note } from '../../setup/flaky-database';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
const opened: Db[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  await sql`create table notes (text text)`.execute(open());
});
afterAll(async () => {
  for (const db of opened) await db.destroy();
  await database.drop();
});

function open(limits: Partial<Parameters<typeof openDatabase>[0]> = {}): Db {
  const db = openDatabase({ url: database.url, poolSize: 1, connectTimeoutMs: 20_000, ...limits }, () => {});
  opened.push(db);
  return db;
}

async function show(db: Db): Promise<unknown> {
  const { rows } = await sql`
    select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
      current_setting('idle_in_transaction_session_timeout') as idle`.execute(db);
  return rows[0];
}

const thrownBy = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

test('the server knows the limits of a transaction, and the session keeps none of them', async () => {
  const db = open({ statementTimeoutMs: 10_000, lockTimeoutMs: 8_000, idleInTransactionTimeoutMs: 60_000 });
  const none = { statement: '0', lock: '0', idle: '0' };
  expect(await show(db)).toEqual(none);
  const inside = await db.transaction().execute((tx) => show(tx));
  expect(inside).toEqual({ statement: '9s', lock: '8s', idle: '1min' });
  expect(await show(db)).toEqual(none);
});

test('the wait for a lock ends before the time of its statement, whatever the settings say', async () => {
  const inside = (limits: Partial<Parameters<typeof openDatabase>[0]>) =>
    open(limits)
      .transaction()
      .execute((tx) => show(tx));
  const limits = { statementTimeoutMs: 4_000, lockTimeoutMs: 4_000 };
  expect(await inside(limits)).toMatchObject({ statement: '3600ms', lock: '3200ms' });
  // 0: none.
  expect(await inside({ ...limits, lockTimeoutMs: 0 })).toMatchObject({ lock: '0' });
  expect(await inside({ ...limits, statementTimeoutMs: 0 })).toMatchObject({ lock: '4s' });
});

test('without limits, the server is told of none', async () => {
  expect(
    await open()
      .transaction()
      .execute((tx) => show(tx)),
  ).toEqual({ statement: '0', lock: '0', idle: '0' });
});

test('scripts and migrations have no limits, purging has its budget', async () => {
  const config = readConfig({
    DATABASE_URL: database.url,
    RABBITMQ_URL: 'amqp://localhost',
    JWT_SECRET: 'x'.repeat(32),
    PURGE_BUDGET_MS: '20000',
  });
  const inside = async (adjusted: Config) => {
    const { db } = createContext(adjusted, createLog('silent'));
    opened.push(db);
    return db.transaction().execute((tx) => show(tx));
  };
  expect(await inside(withLongTimeouts(config))).toEqual({ statement: '0', lock: '0', idle: '0' });
  expect(await inside(withLongTimeouts(config, config.purge.budgetMs))).toMatchObject({ statement: '18s' });
});

test('too many connections: unavailable, and all is well when there are fewer', async () => {
  const role = `rollcall_test_${process.pid}`;
  await sql.raw(`create role ${role} login password 'secret' connection limit 0`).execute(open());
  const url = new URL(database.url);
  Object.assign(url, { username: role, password: 'secret' });
  const db = open({ url: url.href });
  expect(await thrownBy(backendPid(db))).toMatchObject({
    code: 'unavailable',
    outcome: 'not_done',
    cause: { code: '53300' },
  });
  await sql.raw(`alter role ${role} connection limit 1`).execute(open());
  expect(await backendPid(db)).toBeGreaterThan(0);
  await db.destroy();
  opened.splice(opened.indexOf(db), 1);
  await sql.raw(`drop role ${role}`).execute(open());
});

test.each([
  ['a lock that is not given up', { lockTimeoutMs: 50 }],
  ['a statement without an end', { statementTimeoutMs: 5_000 }],
])('%s is unavailable, and the connection is kept', async (_name, limits) => {
  const [holder, db] = [open(), open(limits)];
  const before = await backendPid(db);
  const error = await holder.transaction().execute(async (tx) => {
    await sql`lock table notes`.execute(tx);
    return thrownBy(db.transaction().execute((waiting) => note(waiting, 'late')));
  });
  expect(error).toMatchObject({ code: 'unavailable' });
  expect(error instanceof DomainError && !(error instanceof DatabaseUnavailable)).toBe(true);
  expect(await backendPid(db)).toBe(before);
});

test('a transaction that is left alone is ended by the server, with what it holds', async () => {
  const db = open({ idleInTransactionTimeoutMs: 50 });
  const error = await thrownBy(
    db.transaction().execute(async (tx) => {
      await sql`lock table notes`.execute(tx);
      // Another one gets the lock, although this one has not ended.
      await note(open(), 'written');
      await note(tx, 'late');
    }),
  );
  expect(error).toMatchObject({ code: 'unavailable', outcome: 'not_done' });
  await expect(note(db, 'later')).resolves.toBeUndefined();
});

test('a connection with a transaction left open is given to nobody else', async () => {
  const db = open();
  const before = await backendPid(db);
  await sql`begin`.execute(db);
  expect(await backendPid(db)).not.toBe(before);
});

test('whoever waits too long for a free connection is told so', async () => {
  // Enough for the first connection on a busy machine.
  const db = open({ connectTimeoutMs: 3_000 });
  const error = await db.transaction().execute(() => thrownBy(note(db, 'late')));
  expect(error).toMatchObject({ code: 'unavailable', outcome: 'not_done' });
});
