import { sql } from 'kysely';
import type { Tx } from '../../../shared/db/connection';
import { inOneTrip } from '../../../shared/db/in-one-trip';
import { type FlakyDatabase, flakyDatabase, note, notes } from '../../setup/flaky-database';

let at: FlakyDatabase;
beforeEach(async () => {
  at = await flakyDatabase();
  await sql`create unique index on notes (text)`.execute(at.direct);
});
afterEach(() => at.close());

test('statements of a transaction share a round trip, and each has its own result', async () => {
  const [first, trips, all] = await at.db.transaction().execute(async (tx) => {
    await note(tx, 'before');
    const before = at.proxy.roundTrips();
    const [one] = await inOneTrip(tx, (together) => [
      sql<{ value: number }>`select 1 as value`.execute(together),
      note(together, 'with it'),
      notes(together),
    ]);
    const seen = await notes(tx);
    return [one.rows[0]?.value, at.proxy.roundTrips() - before - 1, seen] as const;
  });
  expect([first, trips, all]).toEqual([1, 1, ['before', 'with it']]);
  expect(await notes(at.direct)).toEqual(['before', 'with it']);
});

test('the statement that failed is the error, wherever it is in the list, and all of it is rolled back', async () => {
  await note(at.db, 'taken');
  const failing = at.db.transaction().execute((tx) =>
    inOneTrip(tx, (together) => [
      // Behind the other one on the wire, so that it gets no more than "the transaction is aborted".
      note(together, 'new').then(() => note(together, 'behind it')),
      note(together, 'taken'),
    ]),
  );
  await expect(failing).rejects.toMatchObject({ code: '23505' });
  expect(await notes(at.direct)).toEqual(['taken']);
  await note(at.db, 'later');
});

test('an error that is not of the database rolls back what was sent with it', async () => {
  const failing = at.db
    .transaction()
    .execute((tx) =>
      inOneTrip(tx, (together) => [
        note(together, 'written'),
        notes(together).then(() => Promise.reject(new Error('first'))),
        Promise.reject(new Error('second')),
      ]),
    );
  await expect(failing).rejects.toMatchObject({ message: 'first' });
  expect(await notes(at.direct)).toEqual([]);
});

test('what is not waited for does not follow behind the rollback', async () => {
  const inSteps = async (together: Tx) => {
    await note(together, 'before it');
    await note(together, 'behind it');
  };
  // The second statement would come in time, or too late, as it happens.
  for (let i = 0; i < 20; i++) {
    const failing = at.db.transaction().execute((tx) =>
      inOneTrip(tx, (together) => {
        inSteps(together).catch(() => {});
        throw new Error('no promise');
      }),
    );
    await expect(failing).rejects.toThrow('no promise');
  }
  expect(await notes(at.db)).toEqual([]);
});

test('a connection that is lost when the server has executed all of it loses all of it', async () => {
  const failing = at.db.transaction().execute(async (tx) => {
    at.proxy.muteServerAt('first');
    const sent = inOneTrip(tx, (together) => [
      note(together, 'first'),
      note(together, 'second'),
      sql`select 'the last'`.execute(together),
    ]);
    await executed("select 'the last'");
    at.proxy.heal();
    return sent;
  });
  await expect(failing).rejects.toMatchObject({ outcome: 'not_done' });
  expect(await notes(at.db)).toEqual([]);
});

/** Until the server has executed this in a transaction, and waits for what comes next. */
async function executed(statement: string): Promise<void> {
  for (;;) {
    const { rows } = await sql`
      select from pg_stat_activity where datname = current_database()
      and state = 'idle in transaction' and query = ${statement}`.execute(at.direct);
    if (rows.length > 0) return;
  }
}
