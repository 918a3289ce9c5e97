// Statements of a transaction that are sent together: one round trip, and nothing happens after a failure.
import { sql } from 'kysely';
import type { Db } from '../../../shared/db/connection';
import { pipelined } from '../../../shared/db/pipeline';
import { type FlakyDatabase, flakyDatabase, note, notes } from '../../setup/flaky-database';

let at: FlakyDatabase;
beforeEach(async () => {
  at = await flakyDatabase();
});
afterEach(() => at.close());

const failing = (db: Db) => sql`select 1 / 0`.execute(db);

test('the results are in the order of the work, with BEGIN and later statements on one connection', async () => {
  const pid = async (db: Db) => (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db)).rows;
  const [pids, texts] = await at.db.transaction().execute((tx) =>
    pipelined(
      Promise.all([pid(tx), pid(tx), pid(tx)]),
      note(tx, 'a').then(() => notes(tx)),
      null,
      note(tx, 'b'),
    ),
  );
  expect(new Set(pids.flat().map((row) => row.pid)).size).toBe(1);
  expect(texts).toEqual(['a', 'b']);
  expect(await notes(at.direct)).toEqual(['a', 'b']);
});

test('the error is that of the cause, wherever it stands, and nothing takes effect, not even what would come later', async () => {
  const late = async (db: Db, cause: Promise<unknown>) => {
    await cause.catch(() => {});
    await note(db, 'late');
  };
  const error = await at.db
    .transaction()
    .execute(async (tx) => {
      await note(tx, 'before');
      const cause = failing(tx);
      await pipelined(late(tx, cause), note(tx, 'beside'), cause);
    })
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ message: 'division by zero' });
  expect(await notes(at.direct)).toEqual([]);
  // The connection goes on.
  await note(at.db, 'after');
  expect(await notes(at.direct)).toEqual(['after']);
});

test('of a transaction that cannot begin, no statement takes effect', async () => {
  const transaction = at.db.transaction().execute(async (tx) => {
    await at.proxy.stop();
    await pipelined(note(tx, 'a'), note(tx, 'b'));
  });
  await expect(transaction).rejects.toMatchObject({ code: 'unavailable', outcome: 'not_done' });
  expect(await notes(at.direct)).toEqual([]);
});

test('work that never asks the database neither begins nor ends a transaction', async () => {
  await at.db.transaction().execute(async () => {});
  const thrown = at.db.transaction().execute(async () => {
    throw new Error('changed my mind');
  });
  await expect(thrown).rejects.toThrow('changed my mind');
  await note(at.db, 'written');
  expect(await notes(at.direct)).toEqual(['written']);
});
