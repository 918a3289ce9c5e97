import { sql } from 'kysely';
import { type Db, openDatabase } from '../../../shared/db/connection';
import { createTestDatabase } from '../../setup/database';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
const opened: Db[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  for (const db of opened) await db.destroy();
  await database.drop();
});

function open(prepared: boolean): Db {
  const db = openDatabase({ url: database.url, poolSize: 1, connectTimeoutMs: 20_000, prepared }, () => {});
  opened.push(db);
  return db;
}

const roles = (db: Db, name: string) =>
  db.selectFrom('roles').select('name').where('name', '=', name).execute();

/** How often the server has run each statement of this connection that it keeps. */
async function kept(db: Db): Promise<{ statement: string; uses: number }[]> {
  const { rows } = await sql<{ statement: string; uses: number }>`
    select statement, (generic_plans + custom_plans)::int as uses from pg_prepared_statements
    where statement like '%roles%' and statement not like '%pg_prepared_statements%'`.execute(db);
  return rows;
}

test('what comes often is prepared, what comes twice is not', async () => {
  const db = open(true);
  for (const name of ['user', 'admin']) await roles(db, name);
  expect(await kept(db)).toEqual([]);
  for (const name of ['user', 'admin', 'nobody']) await roles(db, name);
  expect(await kept(db)).toEqual([{ statement: 'select "name" from "roles" where "name" = $1', uses: 3 }]);
  expect(await roles(db, 'user')).toEqual([{ name: 'user' }]);
});

test('nothing is where a pooler forbids it', async () => {
  const db = open(false);
  for (let i = 0; i < 5; i++) await roles(db, 'user');
  expect(await kept(db)).toEqual([]);
});

test('what the session has forgotten is run without a name', async () => {
  const db = open(true);
  for (let i = 0; i < 5; i++) await roles(db, 'user');
  await sql`deallocate all`.execute(db);
  expect(await roles(db, 'user')).toEqual([{ name: 'user' }]);
});

test('a column that a migration adds does not break what takes all columns', async () => {
  const db = open(true);
  const all = () => db.selectFrom('roles').selectAll().where('name', '=', 'user').execute();
  for (let i = 0; i < 5; i++) await all();
  await sql`alter table roles add column note text`.execute(db);
  expect(await all()).toHaveLength(1);
  expect(await roles(db, 'user')).toEqual([{ name: 'user' }]);
});
