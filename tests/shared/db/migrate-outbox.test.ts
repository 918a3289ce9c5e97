// Migration 0022, on a database that the code before it has filled and goes on using.
import { type Migration, sql } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { analytics } from '../../../functions/consumers/analytics';
import { queueOf } from '../../../shared/broker/topology';
import type { Db } from '../../../shared/db/connection';
import { migrateToLatest } from '../../../shared/db/migrate';
import { migrations } from '../../../shared/db/migrations';
import { listEvents } from '../../../shared/event-log/list-events';
import type { UserEvent } from '../../../shared/events/catalog';
import { NOBODY } from '../../../shared/events/origin';
import { claimEvents, confirmSent, putBack } from '../../../shared/outbox/dispatch-store';
import { appendEvent } from '../../../shared/outbox/event-store';
import { relayOutbox } from '../../../shared/outbox/relay';
import { createEventSender, sendToQueue } from '../../../shared/outbox/send-event';
import { openClient, Received } from '../../setup/broker';
import * as old from '../../setup/code-before-dispatch';
import { consume } from '../../setup/consume';
import { type TestContext, testContext } from '../../setup/context';
import { createTestDatabase } from '../../setup/database';
import { inversions } from '../../setup/outbox';

const before = Object.fromEntries(Object.entries(migrations).filter(([name]) => name < '0021')) as Record<
  string,
  Migration
>;

let ctx: TestContext;
beforeEach(async () => {
  ctx = await testContext(
    { RELAY_IDLE_MS: '5', RELAY_BATCH_SIZE: '20' },
    await createTestDatabase('template0'),
  );
  await migrateToLatest(ctx.db, before);
});
afterEach(() => ctx.close());

const migrate = () => migrateToLatest(ctx.db, migrations, { tries: 1_000, pauseMs: 10 });
const append = (event: old.OldEvent, inlineMs = 0) =>
  ctx.db.transaction().execute((tx) => old.append(tx, event, inlineMs));
const ids = (events: { id: string }[]) => events.map(({ id }) => id);
const claimedIds = async (limit = 50) =>
  ids((await claimEvents(ctx.db, limit)).events.map(({ event }) => event));

test('old code that serves before, during and after it loses nothing, has nothing handled twice, and keeps the order', async () => {
  const { events: config } = ctx.config;
  const queue = queueOf(config, 'analytics');
  const client = await openClient();
  const published = await Received.bound(client.channel, config.exchange);
  const queued = await Received.from(client.channel, queue);
  const connection = await ctx.broker.open(5_000);
  const sendEvent = createEventSender(config);
  const users = Array.from({ length: 12 }, () => uuidv7());
  /** What each user's events are, in the order of their commits. */
  const log = new Map(users.map((user) => [user, [] as string[]]));
  let appended = 0;
  let sentAgain = 0;
  let isMigrated = false;

  async function appendOne(user: string): Promise<void> {
    if (appended % 15 === 14) sentAgain += await old.replay(ctx.db, queue, user);
    const own = log.get(user) ?? [];
    const event = old.oldEvent(user, own.length + 1);
    own.push(event.id);
    appended += 1;
    // The new code is there too, once it can be.
    if (isMigrated && appended % 3 === 0) {
      const { type, subject, sequence } = event;
      const data = { id: user };
      const stored = await ctx.db.transaction().execute((tx) =>
        appendEvent(tx, { ...ctx, newId: () => event.id }, 'inline', {
          type: type as 'user.email_verified',
          subject,
          sequence,
          data,
          origin: NOBODY,
        }),
      );
      if (appended % 2 === 0) await ctx.publisher.publish([stored]);
      return;
    }
    // A window that outlasts the test: only the function that wrote it sends it, or nobody.
    const mayPublishNow = await append(event, appended % 4 === 0 ? 60_000 : 0);
    if (mayPublishNow && appended % 8 === 0) {
      await sendEvent(connection, wire(event));
      await old.markPublished(ctx.db, [event.id]);
    }
  }
  const wire = (event: old.OldEvent) =>
    ({
      specversion: '1.0',
      source: 'rollcall',
      datacontenttype: 'application/json',
      time: new Date().toISOString(),
      ...event,
    }) as UserEvent;

  const stop = new AbortController();
  async function write(own: string[]): Promise<void> {
    while (!stop.signal.aborted) for (const user of own) await appendOne(user);
  }
  async function relay(): Promise<void> {
    for (let turn = 1; !stop.signal.aborted; turn++) {
      const sent: string[] = [];
      const stuck = new Set<string>();
      for (const event of await old.claim(ctx.db, 15)) {
        if (stuck.has(event.subject)) continue;
        if (turn % 5 === 0 && sent.length === 3) {
          stuck.add(event.subject);
          await old.putBack(ctx.db, event, 20);
          continue;
        }
        await sendEvent(connection, event);
        sent.push(event.id);
      }
      await old.markPublished(ctx.db, sent);
      await old.releaseHeld(ctx.db, sent);
      const again = await old.claimRedeliveries(ctx.db, 15);
      for (const { event } of again) await sendToQueue(connection, config, event, queue);
      await old.deleteRedeliveries(
        ctx.db,
        again.map(({ position }) => position),
      );
    }
  }

  // A relay that died with a claim, and dead letters on their way to their queue.
  for (const user of users) await appendOne(user);
  expect(await old.claim(ctx.db, 5)).toHaveLength(5);
  await storeDeadLetter(ctx.db, queue, wire(old.oldEvent(users[0] ?? '', 1)));
  const redriven = await old.redrive(ctx.db, queue);
  expect(redriven).toBe(1);
  sentAgain += redriven;

  const oldCode = [write(users.slice(0, 4)), write(users.slice(4, 8)), write(users.slice(8)), relay()];
  await until(() => appended > 150);
  await migrate();
  isMigrated = true;
  const done = new AbortController();
  const newRelay = relayOutbox(ctx, 600_000, done.signal);
  const soFar = appended;
  await until(() => appended > soFar + 200);
  stop.abort();
  await Promise.all(oldCode);
  // The lease of the relay that died, and the windows of the functions that did not publish, have run out.
  await sql`update dispatch set due_at = now() where due_at > now() + interval '20 seconds'`.execute(ctx.db);
  await until(async () => (await ctx.db.selectFrom('dispatch').select('position').execute()).length === 0);
  done.abort();
  await newRelay;

  const rows = await ctx.db.selectFrom('events').select(['id', 'subject']).orderBy('position').execute();
  for (const user of users) expect(ids(rows.filter((row) => row.subject === user))).toEqual(log.get(user));
  expect(rows).toHaveLength(appended);
  // Each came, and came in order. Repetitions are allowed: what the old relay releases is sometimes published inline.
  const firsts = () => new Map([...published.bodies()].reverse().map((event) => [event['id'], event]));
  await until(() => firsts().size === appended);
  expect(inversions([...firsts().values()].reverse())).toEqual([]);
  const created = published.bodies().filter((event) => event['type'] === 'user.created').length;
  await queued.atLeast(created + sentAgain);
  await consume(
    analytics(() => ctx),
    queued.bodies() as unknown as UserEvent[],
  );
  const { rows: counts } = await sql<{ count: number }>`
    select sum(count)::int as count from analytics_hourly where metric = 'registrations'`.execute(ctx.db);
  // And one for the dead letter, which was an event of its own.
  expect(counts).toEqual([{ count: users.length + 1 }]);
  await client.model.close();
});

describe('old code and new beside each other', () => {
  test('neither takes what the other has claimed, nor what is behind it', async () => {
    const [a, b] = [uuidv7(), uuidv7()];
    const events = [1, 2, 3].map((version) => old.oldEvent(a, version));
    for (const event of events) await append(event);
    await migrate();
    const other = old.oldEvent(b, 1);
    await append(other);

    expect(ids(await old.claim(ctx.db, 1))).toEqual([events[0]?.id]);
    expect(await claimedIds()).toEqual([other.id]);
    expect(ids(await old.claim(ctx.db, 50))).toEqual([]);
    await old.markPublished(ctx.db, [events[0]?.id ?? '']);
    const { events: claimed } = await claimEvents(ctx.db, 1);
    expect(claimed.map(({ event }) => event.id)).toEqual([events[1]?.id]);
    expect(ids(await old.claim(ctx.db, 50))).toEqual([]);
    await confirmSent(
      ctx.db,
      claimed.map(({ position }) => position),
    );
    expect(ids(await old.claim(ctx.db, 50))).toEqual([events[2]?.id]);
    expect(await old.countBacklog(ctx.db)).toBe(2);
  });

  test('what one puts back the other leaves alone until then, and sees the attempt', async () => {
    const user = uuidv7();
    const [first, second] = [old.oldEvent(user, 1), old.oldEvent(user, 2)];
    await migrate();
    await append(first);
    await append(second);
    const [event] = await old.claim(ctx.db, 1);
    if (!event) throw new Error('Nothing was due');
    await old.putBack(ctx.db, event, 60_000);
    expect([await claimedIds(), ids(await old.claim(ctx.db, 50))]).toEqual([[], []]);
    expect((await listEvents(ctx.db, { status: 'pending' }, 10, undefined)).events).toMatchObject([
      { id: second.id, attempts: 0, lastError: null },
      { id: first.id, attempts: 1, lastError: 'refused' },
    ]);
    await old.putBack(ctx.db, event, 0);
    const [claimed] = (await claimEvents(ctx.db, 50)).events;
    if (!claimed) throw new Error('Nothing was due');
    const failed = {
      position: claimed.position,
      subject: user,
      queue: null,
      error: 'x',
      attempt: 0 as const,
    };
    await putBack(ctx.db, [{ ...failed, delayMs: 60_000 }]);
    expect(ids(await old.claim(ctx.db, 50))).toEqual([]);
  });

  test('a mark of the old code counts as published, and a claim of the new one holds the old inline publisher', async () => {
    const user = uuidv7();
    await migrate();
    const [first, second] = [old.oldEvent(user, 1), old.oldEvent(user, 2)];
    expect(await append(first, 60_000)).toBe(true);
    await old.markPublished(ctx.db, [first.id]);
    await old.markPublished(ctx.db, [first.id]);
    expect((await listEvents(ctx.db, {}, 10, undefined)).events).toMatchObject([
      { id: first.id, status: 'published', publishedAt: expect.any(String), attempts: 1 },
    ]);
    const data = { id: user };
    const { type, sequence } = second;
    await ctx.db.transaction().execute((tx) =>
      appendEvent(tx, ctx, 'relay', {
        type: type as 'user.email_verified',
        subject: user,
        sequence,
        data,
        origin: NOBODY,
      }),
    );
    expect(await append(old.oldEvent(user, 3), 60_000)).toBe(false);
  });

  test('redeliveries keep their positions, and are sent by whoever claimed them', async () => {
    const user = uuidv7();
    const event = old.oldEvent(user, 1);
    await append(event);
    const [sent] = await old.claim(ctx.db, 1);
    await old.markPublished(ctx.db, [sent?.id ?? '']);
    expect(await old.replay(ctx.db, 'a')).toBe(1);
    expect(await old.replay(ctx.db, 'b')).toBe(1);
    const [claimed] = await old.claimRedeliveries(ctx.db, 1);
    await migrate();
    expect(await old.replay(ctx.db, 'c')).toBe(1);
    const { events: others } = await claimEvents(ctx.db, 50);
    expect(others.map(({ queue }) => queue).sort()).toEqual(['b', 'c']);
    expect(await old.claimRedeliveries(ctx.db, 50)).toEqual([]);
    if (!claimed) throw new Error('Nothing was due');
    await old.putBackRedelivery(ctx.db, claimed);
    const [again] = await old.claimRedeliveries(ctx.db, 50);
    expect(again).toMatchObject({ position: claimed.position, queue: 'a', event: { id: event.id } });
    await old.deleteRedeliveries(ctx.db, [claimed.position]);
    expect(await ctx.db.selectFrom('dispatch').select('queue').where('queue', '=', 'a').execute()).toEqual(
      [],
    );
  });

  test('it withdraws, erases and purges as before', async () => {
    await migrate();
    const [user, admin] = [uuidv7(), uuidv7()];
    const event = old.oldEvent(user, 1);
    await append(event);
    await append(old.oldEvent(admin, 1));
    await ctx.db.transaction().execute(async (tx) => {
      const withdrawn = old.oldEvent(user, 2);
      await old.append(tx, withdrawn);
      await old.withdraw(tx, withdrawn.id);
      await old.withdraw(tx, event.id);
      await old.erase(tx, user);
    });
    const rows = await ctx.db.selectFrom('events').selectAll().where('subject', '=', user).execute();
    expect(rows).toMatchObject([
      {
        id: event.id,
        data: { username: user.replaceAll('-', ''), email: null },
        address: null,
        user_agent: null,
      },
    ]);
    expect(await claimedIds()).toContain(event.id);

    await old.markPublished(ctx.db, [event.id]);
    // As an operator does with what the broker has lost.
    await sql`update outbox set published_at = null where id = ${event.id}`.execute(ctx.db);
    expect(await claimedIds()).toEqual([event.id]);
    await old.markPublished(ctx.db, [event.id]);
    const tomorrow = new Date(Date.now() + 24 * 60 * 60 * 1000);
    expect(await old.purge(ctx.db, tomorrow, 10)).toBe(1);
    expect(ids(await ctx.db.selectFrom('events').select('id').execute())).not.toContain(event.id);
    expect(await ctx.db.selectFrom('publications').select('event_id').execute()).toEqual([]);
  });
});

test('what was published before it says when, and is purged by that', async () => {
  const event = old.oldEvent(uuidv7(), 1);
  await append(event);
  await old.markPublished(ctx.db, [event.id]);
  const at = '2026-11-20T10:00:00.000Z';
  await sql`update outbox set published_at = ${at}`.execute(ctx.db);
  await migrate();
  expect((await listEvents(ctx.db, {}, 10, undefined)).events).toMatchObject([
    { id: event.id, status: 'published', publishedAt: at, attempts: 1, lastError: null },
  ]);
});

test('an old database and a new one end up with the same schema', async () => {
  for (let version = 1; version < 4; version++) await append(old.oldEvent(uuidv7(), version));
  await old.claim(ctx.db, 1);
  await migrate();
  const fresh = await testContext();
  expect(await schemaOf(ctx.db)).toEqual(await schemaOf(fresh.db));
  await fresh.close();
});

async function schemaOf(db: Db): Promise<unknown[]> {
  const { rows } = await sql`
    select 'column' as kind, table_name || '.' || column_name as name,
      concat_ws(' ', data_type, is_nullable, column_default, is_identity) as definition
    from information_schema.columns where table_schema = 'public'
    union all
    select 'index', indexname, indexdef from pg_indexes where schemaname = 'public'
    union all
    select 'constraint', conname, pg_get_constraintdef(oid) from pg_constraint
    where connamespace = 'public'::regnamespace
    union all
    select 'view', viewname, definition from pg_views where schemaname = 'public'
    union all
    select 'trigger', tgname, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
    union all
    select 'function', proname, prosrc from pg_proc where pronamespace = 'public'::regnamespace
    union all
    select 'options', relname, reloptions::text from pg_class where relnamespace = 'public'::regnamespace
    order by 1, 2, 3`.execute(db);
  return rows;
}

async function storeDeadLetter(db: Db, queue: string, event: UserEvent): Promise<void> {
  await sql`
    insert into dead_letters (id, fingerprint, queue, event, subject, error, attempts)
    values (${uuidv7()}, 'x', ${queue}, ${JSON.stringify(event)}, ${event.subject}, 'no luck', 6)`.execute(
    db,
  );
}

/** Gives everything else a turn until then. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
}
