import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { type Db, openDatabase } from '../../../shared/db/connection';
import { migrateToLatest } from '../../../shared/db/migrate';
import { migrations } from '../../../shared/db/migrations';
import { deletePassword, replaceHash, setPassword } from '../../../shared/passwords/password-store';
import { administer, databaseUrl, untilLockIsAwaited } from '../../setup/database';

const name = `rollcall_passwords_${process.pid}`;
let db: Db;
beforeAll(async () => {
  await administer(`create database ${name}`);
  db = openDatabase({ url: databaseUrl(name), poolSize: 4 }, () => {});
});
afterAll(async () => {
  await db.destroy();
  await administer(`drop database ${name} with (force)`);
});

// What the version before writes.
async function insertAsBefore(on: Db, hash: string): Promise<string> {
  const id = randomUUID();
  await sql`
    insert into users (id, username, password_hash, metadata, role, created_at, updated_at)
    values (${id}, ${id.slice(0, 30)}, ${hash}, '{}', 'user', now(), now())`.execute(on);
  return id;
}
const updateAsBefore = (on: Db, id: string, hash: string) =>
  sql`update users set password_hash = ${hash}, version = version + 1 where id = ${id}`.execute(on);
const readAsBefore = async (id: string) =>
  (await sql<{ hash: string }>`select password_hash as hash from users where id = ${id}`.execute(db)).rows[0]
    ?.hash;
const read = async (id: string) =>
  (await db.selectFrom('passwords').select('hash').where('user_id', '=', id).executeTakeFirst())?.hash;

test('the version before and this one see the same passwords, whoever writes them', async () => {
  const before = Object.entries(migrations).filter(([migration]) => migration < '0021');
  await migrateToLatest(db, Object.fromEntries(before));
  const ids = await Promise.all(['a', 'b', 'c', 'd'].map((hash) => insertAsBefore(db, hash)));
  const [kept = '', changed = '', deleted = '', replaced = ''] = ids;

  // One that the version before has under way, which the migration has copied the old state of by then.
  const { migrating, late } = await db.transaction().execute(async (tx) => {
    await updateAsBefore(tx, changed, 'changed');
    await tx.deleteFrom('users').where('id', '=', deleted).execute();
    const late = await insertAsBefore(tx, 'late');
    const migrating = migrateToLatest(db);
    await untilLockIsAwaited({ db });
    return { migrating, late };
  });
  await migrating;
  expect(await Promise.all([kept, changed, deleted, late].map(read))).toEqual([
    'a',
    'changed',
    undefined,
    'late',
  ]);

  const added = await insertAsBefore(db, 'added');
  await updateAsBefore(db, kept, 'updated');
  expect(await Promise.all([added, kept].map(read))).toEqual(['added', 'updated']);

  await db.transaction().execute((tx) => setPassword(tx, kept, { hash: 'by this version' }));
  expect(await db.transaction().execute((tx) => replaceHash(tx, replaced, 'd', 'rehashed'))).toBe(true);
  expect(await Promise.all([kept, replaced].map(readAsBefore))).toEqual(['by this version', 'rehashed']);
  expect(await Promise.all([kept, replaced].map(read))).toEqual(['by this version', 'rehashed']);

  // One that is removed is so for the version before, too.
  expect(await db.transaction().execute((tx) => deletePassword(tx, kept))).toBe(true);
  expect([await read(kept), await readAsBefore(kept)]).toEqual([undefined, null]);

  await db.deleteFrom('users').where('id', '=', added).execute();
  expect(await read(added)).toBeUndefined();
});
