// Connections that are dead, silent or useless: what is first asked of them takes a new one, and nothing happens twice.
import { sql } from 'kysely';
import { type Db, openDatabase } from '../../../shared/db/connection';
import { DatabaseUnavailable } from '../../../shared/db/unavailable';
import {
  backendPid,
  endBackends,
  type FlakyDatabase,
  flakyDatabase,
  freeze,
  note,
  notes,
} from '../../setup/flaky-database';

let at: FlakyDatabase;
afterEach(() => at.close());

async function outcomeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => 'it worked',
    (thrown: unknown) => thrown,
  );
  return error instanceof DatabaseUnavailable ? error.outcome : String(error);
}

const USES: [string, (db: Db) => Promise<unknown>][] = [
  ['a read', (db) => notes(db)],
  ['a write', (db) => note(db, 'written')],
  ['a transaction', (db) => db.transaction().execute((tx) => note(tx, 'written'))],
];

describe.each(USES)('after a connection was lost, %s', (name, use) => {
  const expected = name === 'a read' ? [] : ['written'];
  const expectDone = async () => expect(await notes(at.direct)).toEqual(expected);

  test.each([20, 300, 1_100])('works where the server ended it during a freeze of %d ms', async (ms) => {
    at = await flakyDatabase();
    const db = openDatabase({ url: at.url, poolSize: 1 }, () => {});
    const before = await backendPid(db);
    await endBackends(at.direct);
    freeze(ms);
    await use(db);
    await expectDone();
    expect(await backendPid(db)).not.toBe(before);
    await db.destroy();
  });

  test('works where the path went silent during a freeze', async () => {
    at = await flakyDatabase();
    await backendPid(at.db);
    at.proxy.silence();
    freeze();
    await use(at.db);
    await expectDone();
    expect(at.dropped).toHaveLength(1);
  });

  test('works where the server takes no more writes, and another one does', async () => {
    at = await flakyDatabase();
    // As on a primary that was demoted: this session refuses, a new one does not.
    await sql`set session characteristics as transaction read only`.execute(at.db);
    await use(at.db);
    await expectDone();
  });
});

test('a transaction begins on a new connection where the path went silent a moment ago', async () => {
  at = await flakyDatabase();
  await backendPid(at.db);
  at.proxy.silence();
  await at.db.transaction().execute((tx) => note(tx, 'written'));
  expect(await notes(at.direct)).toEqual(['written']);
});

test('of a pool, all that were idle on a silent path are replaced at once', async () => {
  at = await flakyDatabase(5);
  const together = () =>
    Promise.all(Array.from({ length: 5 }, () => sql`select pg_sleep(0.01)`.execute(at.db)));
  await together();
  at.proxy.silence();
  freeze();
  // One after the other: only the first has to find it out.
  for (let i = 0; i < 5; i++) await note(at.db, `note ${i}`);
  expect(at.dropped).toHaveLength(1);
  await together();
  expect(at.dropped).toHaveLength(1);
});

test('a database that takes no writes at all says so before a transaction does anything, and takes reads', async () => {
  at = await flakyDatabase();
  const forAll = (value: string) =>
    sql.raw(`
    do $$ begin execute format('alter database %I set default_transaction_read_only = ${value}', current_database());
    end $$`);
  await forAll('on').execute(at.direct);
  let began = false;
  const transaction = at.db.transaction().execute(async () => {
    began = true;
  });
  expect([await outcomeOf(transaction), began]).toEqual(['not_done', false]);
  expect(await outcomeOf(note(at.db, 'written'))).toBe('not_done');
  expect(await notes(at.db)).toEqual([]);
  await sql`set default_transaction_read_only = off`.execute(at.direct);
  await forAll('off').execute(at.direct);
  await note(at.db, 'written');
  expect(await notes(at.direct)).toEqual(['written']);
});

test('a transaction whose connection is lost half-way did not happen, and is not begun again', async () => {
  at = await flakyDatabase();
  let times = 0;
  const transaction = at.db.transaction().execute(async (tx) => {
    times += 1;
    await note(tx, 'first');
    await endBackends(at.direct);
    await note(tx, 'second');
  });
  expect([await outcomeOf(transaction), times]).toEqual(['not_done', 1]);
  expect(await notes(at.db)).toEqual([]);
});

test('a COMMIT whose answer is lost is not repeated, and nobody claims to know what became of it', async () => {
  at = await flakyDatabase(1, 3_000);
  let times = 0;
  const transaction = at.db.transaction().execute(async (tx) => {
    times += 1;
    await note(tx, 'written');
    at.proxy.muteServer();
  });
  expect([await outcomeOf(transaction), times]).toEqual(['unknown', 1]);
  at.proxy.heal();
  expect(await notes(at.db)).toEqual(['written']);
});

test('a write whose answer is lost is not repeated either', async () => {
  at = await flakyDatabase(1, 3_000);
  await backendPid(at.db);
  at.proxy.muteServer();
  expect(await outcomeOf(note(at.db, 'written'))).toBe('unknown');
  at.proxy.heal();
  expect(await notes(at.db)).toEqual(['written']);
});

test('an answer that came while the process stood still counts', async () => {
  at = await flakyDatabase();
  // Past the proxy, which stands still in this process as well.
  const db = openDatabase({ url: at.url, poolSize: 1, statementTimeoutMs: 1_500 }, () => {});
  const answer = db.transaction().execute(async (tx) => {
    const noted = note(tx, 'written');
    // It has gone out, and is not answered yet.
    await new Promise((resolve) => setImmediate(resolve));
    freeze(3_000);
    await noted;
  });
  expect(await outcomeOf(answer)).toBe('it worked');
  await db.destroy();
});

test('while nothing can be reached, everybody is told so; when it can, all is well at once', async () => {
  at = await flakyDatabase(2);
  await backendPid(at.db);
  await at.proxy.stop();
  for (const [, use] of USES) expect(await outcomeOf(use(at.db))).toBe('not_done');
  await at.proxy.start();
  for (const [, use] of USES) expect(await outcomeOf(use(at.db))).toBe('it worked');
});
