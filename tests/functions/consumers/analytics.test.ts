import fc from 'fast-check';
import { sql } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { analytics } from '../../../functions/consumers/analytics';
import { addToCounts, forgetCounted, resetCounts } from '../../../shared/analytics/analytics-store';
import { METRIC_OF } from '../../../shared/analytics/metrics';
import { CONSUMERS } from '../../../shared/broker/topology';
import { takeReplayStep } from '../../../shared/event-operations/run-replays';
import type { EventType, UserEvent } from '../../../shared/events/catalog';
import {
  dispatchStep,
  eventsOfStep,
  insertReplay,
  lockNextReplay,
} from '../../../shared/outbox/replay-store';
import { consume } from '../../setup/consume';
import { type TestContext, testContext } from '../../setup/context';
import { untilLockIsAwaited } from '../../setup/database';
import { takeReplaySteps } from '../../setup/outbox';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext();
});
beforeEach(() => sql`truncate analytics_hourly, inbox, events, dispatch, replays`.execute(ctx.db));
afterAll(() => ctx.close());

const count = async (events: UserEvent[]) =>
  expect(
    await consume(
      analytics(() => ctx),
      events,
    ),
  ).toEqual({ batchItemFailures: [] });

function eventOf(type: EventType, time: string): UserEvent {
  const subject = uuidv7();
  const createdAt = '2026-11-20T10:00:00.000Z';
  const user = { id: subject, username: 'gorden', email: null, role: 'user', createdAt };
  const session = { userId: subject, sessionId: uuidv7(), reason: 'login' };
  return {
    ...{ specversion: '1.0', id: uuidv7(), source: 'rollcall', datacontenttype: 'application/json' },
    ...{ type, subject, sequence: '0000000001', time, data: type.startsWith('session') ? session : user },
  } as UserEvent;
}

/** `<hour> <metric>` → how many. */
async function counts(): Promise<Record<string, number>> {
  const rows = await ctx.db.selectFrom('analytics_hourly').selectAll().execute();
  return Object.fromEntries(
    rows.map((row) => [`${row.hour.toISOString().slice(0, 13)} ${row.metric}`, Number(row.count)]),
  );
}

/** What `counts` should be, counted by hand. */
function countsOf(events: UserEvent[]): Record<string, number> {
  const expected: Record<string, number> = {};
  for (const { type, time } of events) {
    const key = `${new Date(time).toISOString().slice(0, 13)} ${METRIC_OF[type]}`;
    expected[key] = (expected[key] ?? 0) + 1;
  }
  return expected;
}

test('its queue gets the types that count, and no others', () => {
  expect([...CONSUMERS.analytics].sort()).toEqual(Object.keys(METRIC_OF).sort());
});

test('counts by the hour of UTC in which it happened, whenever it arrives', async () => {
  await count([
    eventOf('user.created', '2026-11-20T10:00:00.000Z'),
    eventOf('user.created', '2026-11-20T10:59:59.999Z'),
    eventOf('user.created', '2026-11-20T11:00:00.000Z'),
    eventOf('user.created', '2026-11-20T23:30:00.000-12:00'),
    eventOf('session.created', '2026-11-20T10:30:00.000Z'),
    eventOf('user.email_verified', '2026-11-20T10:30:00.000Z'),
    eventOf('user.deleted', '2026-11-20T10:30:00.000Z'),
    eventOf('user.password_changed', '2026-11-20T10:30:00.000Z'),
  ]);
  expect(await counts()).toEqual({
    '2026-11-20T10 registrations': 2,
    '2026-11-20T11 registrations': 1,
    '2026-11-21T11 registrations': 1,
    '2026-11-20T10 logins': 1,
    '2026-11-20T10 verifications': 1,
    '2026-11-20T10 deletions': 1,
  });
});

test('a batch writes a row once, however many of its events count there', async () => {
  const before = eventOf('user.created', '2026-11-20T10:00:00.000Z');
  await count([before]);
  const version = () =>
    sql<{ xmin: string; ctid: string }>`select xmin, ctid from analytics_hourly`.execute(ctx.db);
  const [row] = (await version()).rows;
  await count(Array.from({ length: 100 }, () => eventOf('user.created', '2026-11-20T10:30:00.000Z')));
  const [updated] = (await version()).rows;
  expect(await counts()).toEqual({ '2026-11-20T10 registrations': 101 });
  // The second version of the row on its page, and not the hundred and first.
  expect([row?.ctid, updated?.ctid]).toEqual(['(0,1)', '(0,2)']);
});

const types = fc.constantFrom<EventType>(
  'user.created',
  'user.email_verified',
  'session.created',
  'user.deleted',
);
const times = fc.date({
  min: new Date('2026-11-20T22:00:00Z'),
  max: new Date('2026-11-21T02:00:00Z'),
  noInvalidDate: true,
});
const someEvents = fc.array(
  fc.tuple(types, times).map(([type, time]) => eventOf(type, time.toISOString())),
  { minLength: 1, maxLength: 30 },
);

test('any order, any duplicates and any batches of the same events give the same counts', async () => {
  const deliveries = someEvents.chain((events) =>
    fc.record({
      events: fc.constant(events),
      again: fc.array(fc.constantFrom(...events), { maxLength: 20 }),
      keys: fc.array(fc.nat(), { minLength: 50, maxLength: 50 }),
      size: fc.integer({ min: 1, max: 10 }),
      sideBySide: fc.boolean(),
    }),
  );
  await fc.assert(
    fc.asyncProperty(deliveries, async ({ events, again, keys, size, sideBySide }) => {
      await sql`truncate analytics_hourly, inbox`.execute(ctx.db);
      const shuffled = [...events, ...again]
        .map((event, i) => ({ event, key: keys[i] ?? 0 }))
        .sort((a, b) => a.key - b.key)
        .map(({ event }) => event);
      const batches = Array.from({ length: Math.ceil(shuffled.length / size) }, (_, i) =>
        shuffled.slice(i * size, (i + 1) * size),
      );
      if (sideBySide) await Promise.all(batches.map(count));
      else for (const batch of batches) await count(batch);
      expect(await counts()).toEqual(countsOf(events));
    }),
    { numRuns: 60 },
  );
});

describe('counting a range again', () => {
  const from = new Date('2026-11-20T23:00:00Z');
  const to = new Date('2026-11-21T01:00:00Z');

  async function store(events: UserEvent[]): Promise<void> {
    for (const { id, type, subject, sequence, time, data } of events) {
      await sql`
        insert into events (id, type, subject, sequence, time, data)
        values (${id}, ${type}, ${subject}, ${sequence}, ${time}, ${JSON.stringify(data)})`.execute(ctx.db);
    }
  }
  /** Takes the counts back and asks for the events to be sent again. */
  const reset = () =>
    ctx.db.transaction().execute(async (tx) => {
      await resetCounts(tx, from, to);
      const filter = { queue: 'x', types: [...CONSUMERS.analytics] };
      const range = { from: from.toISOString(), to: to.toISOString() };
      await insertReplay(tx, ctx.newId(), { ...filter, ...range }, true);
    });

  test('wrong counts are right after it, whatever was handled before, and what is sent again besides', async () => {
    const cases = fc.record({
      events: someEvents,
      handled: fc.nat(30),
      spoilt: fc.boolean(),
      // How many are still unsent; what arrives between two steps, and how large these are.
      unsent: fc.nat(5),
      meanwhile: fc.array(fc.tuple(fc.nat(30), fc.nat(30)), { maxLength: 4 }),
      size: fc.integer({ min: 1, max: 10 }),
      twice: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ events, handled, spoilt, unsent, meanwhile, size, twice }) => {
        await sql`truncate analytics_hourly, inbox, events, dispatch, replays`.execute(ctx.db);
        await store(events);
        await count(events.slice(0, handled));
        if (spoilt) {
          await sql`
            update analytics_hourly set count = count + 7 where hour >= ${from} and hour < ${to}`.execute(
            ctx.db,
          );
        }
        const pending = events.slice(0, unsent).map(({ id, subject }) => ({ event_id: id, subject }));
        if (pending.length > 0) await ctx.db.insertInto('dispatch').values(pending).execute();
        await reset();
        for (const [first, length] of meanwhile) {
          await count(events.slice(first, first + length));
          await takeReplayStep(ctx.db, size);
        }
        if (twice) await reset();
        await takeReplaySteps(ctx, size);
        const inRange = events.filter(({ time }) => new Date(time) >= from && new Date(time) < to);
        // The range again; and what was on its way to the queue all the time.
        await count(inRange);
        await count(events);
        expect(await counts()).toEqual(countsOf(events));
      }),
      { numRuns: 60 },
    );
  });

  test("leaves other consumers' events and hours alone", async () => {
    const inside = eventOf('user.created', '2026-11-20T23:30:00.000Z');
    const outside = [
      eventOf('user.created', '2026-11-20T22:59:59.999Z'),
      eventOf('user.created', '2026-11-21T01:00:00.000Z'),
    ];
    await store([inside, ...outside]);
    await count([inside, ...outside]);
    await ctx.db.insertInto('inbox').values({ event_id: inside.id, consumer: 'audit' }).execute();
    await reset();
    await takeReplaySteps(ctx);
    expect(await counts()).toEqual(countsOf(outside));
    const inbox = await ctx.db.selectFrom('inbox').select(['event_id', 'consumer']).execute();
    expect(inbox).toHaveLength(3);
    expect(inbox).toContainEqual({ event_id: inside.id, consumer: 'audit' });
  });

  test('a batch that is being counted meanwhile is counted once', async () => {
    const first = eventOf('user.created', '2026-11-20T23:30:00.000Z');
    // One for a row that is there, which the reset would wait for by itself, and one for a row that is new.
    const others = [
      eventOf('user.created', '2026-11-20T23:31:00.000Z'),
      eventOf('user.created', '2026-11-21T00:31:00.000Z'),
    ];
    await store([first, ...others]);
    await count([first]);
    let resetDone: Promise<void> | undefined;
    await ctx.db.transaction().execute(async (tx) => {
      const handled = others.map(({ id }) => ({ event_id: id, consumer: 'analytics' }));
      await tx.insertInto('inbox').values(handled).execute();
      await addToCounts(tx, others);
      resetDone = reset();
      await untilLockIsAwaited(ctx);
    });
    await resetDone;
    await takeReplaySteps(ctx);
    expect(await counts()).toEqual({});
    await count([first, ...others]);
    expect(await counts()).toEqual(countsOf([first, ...others]));
  });

  test('a batch that comes too late for the reset counts after it, and is not forgotten', async () => {
    const event = eventOf('user.created', '2026-11-20T23:30:00.000Z');
    await store([event]);
    let counted: Promise<void> | undefined;
    await ctx.db.transaction().execute(async (tx) => {
      await resetCounts(tx, from, to);
      counted = count([event]);
      await untilLockIsAwaited(ctx);
    });
    await counted;
    await count([event]);
    expect(await counts()).toEqual({ '2026-11-20T23 registrations': 1 });
  });

  test('a batch that waits for a step counts what the step has come to, and leaves the rest to later ones', async () => {
    const events = [
      eventOf('user.created', '2026-11-20T23:30:00.000Z'),
      eventOf('user.created', '2026-11-20T23:31:00.000Z'),
    ];
    await store(events);
    await reset();
    let counted: Promise<void> | undefined;
    await ctx.db.transaction().execute(async (tx) => {
      const replay = await lockNextReplay(tx);
      if (!replay) throw new Error('There is no replay');
      await forgetCounted(tx, () => eventsOfStep(tx, replay, 1));
      counted = count(events);
      await untilLockIsAwaited(ctx);
      await dispatchStep(tx, replay, 1);
    });
    await counted;
    expect(await counts()).toEqual({ '2026-11-20T23 registrations': 1 });
    await takeReplaySteps(ctx, 1);
    await count(events);
    expect(await counts()).toEqual({ '2026-11-20T23 registrations': 2 });
  });
});
