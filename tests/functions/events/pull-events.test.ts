// GET /events?after=: a reader that passes on each cursor gets every event once, however late its transaction commits.
import { sql } from 'kysely';
import { Client } from 'pg';
import { uuidv7 } from 'uuidv7';
import { handler as listEvents } from '../../../functions/events/list-events';
import { purgePublished } from '../../../shared/event-operations/purge-store';
import { type TestContext, testContext } from '../../setup/context';
import { createTestDatabase, type TestDatabase } from '../../setup/database';
import { call } from '../../setup/http';
import { logInAdmin } from '../../setup/people';

let ctx: TestContext;
let database: TestDatabase;
let token: string;
let clients: Set<Client>;
beforeEach(async () => {
  database = await createTestDatabase();
  ctx = await testContext({}, database);
  token = (await logInAdmin(ctx)).accessToken;
  clients = new Set();
});
afterEach(async () => {
  for (const client of clients) await client.end();
  await ctx.close();
});

/** A transaction of another service's container: it has its id from the beginning, as an append has. */
async function begin() {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  clients.add(client);
  await client.query('begin');
  await client.query('select pg_current_xact_id()');
  // A test has more transactions than the server has places.
  const end = async (statement: 'commit' | 'rollback') => {
    await client.query(statement);
    await client.end();
    clients.delete(client);
  };
  return {
    /** @returns the event's id */
    append: async (type = 'session.created') => {
      const id = uuidv7();
      await client.query(
        `insert into events (id, type, subject, sequence, time, data) values ($1, $2, $3, '1', now(), '{}')`,
        [id, type, uuidv7()],
      );
      return id;
    },
    commit: () => end('commit'),
    rollback: () => end('rollback'),
  };
}

async function append(type?: string): Promise<string> {
  const transaction = await begin();
  const id = await transaction.append(type);
  await transaction.commit();
  return id;
}

function reader(query: Record<string, string> = {}) {
  let after = '';
  return {
    pull: async () => {
      const { status, body } = await call(listEvents, ctx, { query: { after, ...query }, token });
      if (status !== 200) throw new Error(JSON.stringify(body));
      const isSame = body.nextCursor === after;
      after = body.nextCursor;
      return { ids: body.events.map(({ id }: { id: string }) => id) as string[], isSame };
    },
    /** Until so many have come. Where a gap may still be filled, it takes until other suites' transactions have ended too. */
    async next(count: number) {
      const ids: string[] = [];
      while (ids.length < count) ids.push(...(await this.pull()).ids);
      return ids;
    },
    /** As a service would: at once again, until the cursor stays the same. */
    async all() {
      const ids: string[] = [];
      for (;;) {
        const pulled = await this.pull();
        ids.push(...pulled.ids);
        if (pulled.isSame) return ids;
      }
    },
  };
}

test('from the beginning, oldest first, in pages, then what comes', async () => {
  const feed = reader({ limit: '2' });
  const own = await feed.all();
  expect(own).toHaveLength(2);
  const ids = [await append(), await append(), await append(), await append(), await append()];
  expect((await feed.pull()).ids).toEqual(ids.slice(0, 2));
  expect(await feed.all()).toEqual(ids.slice(2));
  expect(await feed.pull()).toEqual({ ids: [], isSame: true });
});

test('waits for an earlier position that commits later', async () => {
  const feed = reader();
  await feed.all();
  const slow = await begin();
  const first = await slow.append();
  const second = await append();
  expect(await feed.all()).toEqual([]);
  // However much happens meanwhile.
  const third = await append();
  expect(await feed.all()).toEqual([]);
  await slow.commit();
  expect(await feed.next(3)).toEqual([first, second, third]);
});

test('also if that transaction began after the one of the later position', async () => {
  const feed = reader();
  await feed.all();
  const early = await begin();
  const late = await begin();
  const first = await late.append();
  const second = await early.append();
  await early.commit();
  // No transaction above that of `late` has ended.
  expect(await feed.all()).toEqual([]);
  await late.commit();
  expect(await feed.next(2)).toEqual([first, second]);
});

test('passes the gap of a transaction that was rolled back', async () => {
  const feed = reader();
  await feed.all();
  const undone = await begin();
  await undone.append();
  await undone.append();
  await undone.rollback();
  const next = await append();
  expect(await feed.next(1)).toEqual([next]);
});

test('waits while a long transaction may still fill a gap, and goes on once it has ended', async () => {
  const feed = reader();
  await feed.all();
  // It has appended nothing yet, and could.
  const long = await begin();
  const undone = await begin();
  await undone.append();
  await undone.rollback();
  const next = await append();
  expect(await feed.all()).toEqual([]);
  const last = await append();
  expect(await feed.all()).toEqual([]);
  const late = await long.append();
  await long.commit();
  expect(await feed.next(3)).toEqual([next, last, late]);
});

test('a long transaction holds up nothing where there is no gap', async () => {
  const feed = reader();
  await feed.all();
  const long = await begin();
  const ids = [await append(), await append()];
  expect(await feed.all()).toEqual(ids);
  await long.rollback();
});

test('a gap behind a gap: each is passed as soon as its own transactions have ended', async () => {
  const feed = reader();
  await feed.all();
  const one = await begin();
  const first = await one.append();
  const second = await append();
  expect(await feed.all()).toEqual([]);
  const two = await begin();
  await two.append();
  const fourth = await append();
  await one.commit();
  expect(await feed.next(2)).toEqual([first, second]);
  await two.rollback();
  expect(await feed.next(1)).toEqual([fourth]);
});

test('a filter hides events and loses none', async () => {
  const feed = reader({ type: 'user.deleted', limit: '1' });
  await feed.all();
  const slow = await begin();
  const first = await slow.append('user.deleted');
  await append();
  const second = await append('user.deleted');
  await append();
  expect(await feed.all()).toEqual([]);
  await slow.commit();
  expect(await feed.next(2)).toEqual([first, second]);
});

test('begins behind what was purged', async () => {
  await append();
  await sql`delete from dispatch`.execute(ctx.db);
  await sql`insert into publications (event_id, attempts) select id, 1 from events`.execute(ctx.db);
  const tomorrow = new Date(Date.now() + 86_400_000);
  await sql`update publications set published_at = now() - interval '1 day'`.execute(ctx.db);
  await purgePublished(ctx.db, tomorrow, 100, '00000000-0000-0000-0000-000000000000');
  const next = await append();
  expect(await reader().next(1)).toEqual([next]);
});

test('goes on where the event at the end of a gap was purged meanwhile', async () => {
  const feed = reader();
  await feed.all();
  const slow = await begin();
  await slow.append();
  const second = await append();
  expect(await feed.all()).toEqual([]);
  await slow.rollback();
  await sql`delete from events where id = ${second}`.execute(ctx.db);
  const third = await append();
  expect(await feed.next(1)).toEqual([third]);
});

test('many writers that commit in any order, some of which roll back: each event once, in order', async () => {
  const feed = reader({ limit: '7' });
  const before = await feed.all();
  const committed = new Set<string>();
  const write = async (seed: number) => {
    for (let i = 0; i < 15; i++) {
      const transaction = await begin();
      const ids = [await transaction.append()];
      if ((seed + i) % 3 === 0) await ctx.db.selectFrom('events').select('id').limit(1).execute();
      ids.push(await transaction.append());
      if ((seed * i) % 4 === 1) await transaction.rollback();
      else {
        await transaction.commit();
        for (const id of ids) committed.add(id);
      }
    }
  };
  let areWriting = true;
  const writers = Promise.all([1, 2, 3, 4, 5, 6].map(write)).finally(() => {
    areWriting = false;
  });
  const seen: string[] = [];
  while (areWriting) seen.push(...(await feed.pull()).ids);
  await writers;
  seen.push(...(await feed.next(committed.size - seen.length)));
  expect(seen).toHaveLength(new Set(seen).size);
  expect(new Set(seen)).toEqual(committed);
  const { rows } = await sql<{ id: string }>`select id from events order by position`.execute(ctx.db);
  expect([...before, ...seen]).toEqual(rows.map(({ id }) => id));
});
