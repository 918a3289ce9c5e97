import { sql } from 'kysely';
import { type Db, openDatabase } from '../../../shared/db/connection';
import { migrateToLatest } from '../../../shared/db/migrate';
import { migrations } from '../../../shared/db/migrations';
import { administer, databaseUrl, untilLockIsAwaited } from '../../setup/database';

const name = `rollcall_migrate_${process.pid}`;
const open = (poolSize: number) => openDatabase({ url: databaseUrl(name), poolSize }, () => {});
beforeAll(() => administer(`create database ${name}`));
afterAll(() => administer(`drop database ${name} with (force)`));

async function clear(db: Db): Promise<void> {
  await sql`drop schema public cascade`.execute(db);
  await sql`create schema public`.execute(db);
}

/** Migrated anew, without what another test has applied. */
async function openMigrated(poolSize: number): Promise<Db> {
  const db = open(poolSize);
  await clear(db);
  await migrateToLatest(db);
  return db;
}

const locking: typeof migrations = {
  ...migrations,
  '9998-locking': { up: async (tx) => void (await sql`lock table users, roles`.execute(tx)) },
};

test('two at once apply everything once, and a later one finds nothing to do', async () => {
  const [a, b] = [open(2), open(2)];
  const applied = await Promise.all([migrateToLatest(a), migrateToLatest(b)]);
  expect(applied.flat()).toEqual(Object.keys(migrations));
  expect(await migrateToLatest(a)).toEqual([]);
  await a.destroy();
  await b.destroy();
});

test('a table in use is waited for in short tries, so that its queries go on, and is named in the end', async () => {
  const db = open(3);
  await migrateToLatest(db);
  const altering: typeof migrations = {
    ...migrations,
    '9999-altering': {
      up: async (tx) => void (await sql`alter table roles add column note text`.execute(tx)),
    },
  };
  const inUse = db.transaction().execute(async (tx) => {
    await sql`select from roles`.execute(tx);
    const migrating = migrateToLatest(db, altering, { tries: 1, pauseMs: 0 });
    await untilLockIsAwaited({ db });
    // Behind the migration in the queue for the table, until that gives up.
    await sql`select from roles`.execute(db);
    return expect(migrating).rejects.toThrow('9999-altering');
  });
  await inUse;

  const released = new AbortController();
  const reading = db.transaction().execute(async (tx) => {
    await sql`select from roles`.execute(tx);
    await new Promise((resolve) => released.signal.addEventListener('abort', resolve));
  });
  const migrating = migrateToLatest(db, altering, { tries: 1_000, pauseMs: 0 });
  await untilLockIsAwaited({ db });
  released.abort();
  await reading;
  expect(await migrating).toEqual(['9999-altering']);
  await db.destroy();
});

test('a deadlock with a request is tried again too', async () => {
  const db = await openMigrated(3);
  let migrating: Promise<string[]> | undefined;
  await db.transaction().execute(async (tx) => {
    // Whoever looks for a deadlock first is ended by it: not the request.
    await sql`set local deadlock_timeout = '1min'`.execute(tx);
    await sql`select from roles`.execute(tx);
    migrating = migrateToLatest(db, locking, { tries: 1_000, pauseMs: 0 });
    await untilLockIsAwaited({ db });
    await sql`select from users`.execute(tx);
  });
  expect(await migrating).toEqual(['9998-locking']);
  await db.destroy();
});

test('a deadlock with a request that waits behind it ends the migration, not the request', async () => {
  const db = await openMigrated(4);
  let migrating: Promise<string[]> | undefined;
  let request: Promise<void> | undefined;
  await db.transaction().execute(async (other) => {
    await sql`select from users`.execute(other);
    request = db.transaction().execute(async (tx) => {
      await sql`select from roles`.execute(tx);
      migrating = migrateToLatest(db, locking, { tries: 1_000, pauseMs: 0 });
      await untilLockIsAwaited({ db });
      // Begins to wait before the migration, which gets `users` first, waits for `roles`. With PostgreSQL's default
      // timeout it would also be the first to look for a deadlock.
      await sql`select from users`.execute(tx);
    });
    await untilLockIsAwaited({ db }, 2);
  });
  await request;
  expect(await migrating).toEqual(['9998-locking']);
  await db.destroy();
});

test('a migration that fails says which, and changes nothing', async () => {
  const db = open(1);
  const broken: typeof migrations = {
    ...migrations,
    '9998-fine': { up: async (tx) => void (await sql`create table half_done (id int)`.execute(tx)) },
    '9999-broken': { up: async (tx) => void (await sql`create table`.execute(tx)) },
  };
  await clear(db);
  await expect(migrateToLatest(db, broken)).rejects.toThrow('9999-broken');
  const { rows } =
    await sql`select from pg_tables where schemaname = 'public' and tablename in ('users', 'half_done')`.execute(
      db,
    );
  expect(rows).toEqual([]);
  await db.destroy();
});
