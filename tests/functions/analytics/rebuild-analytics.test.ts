import { sql } from 'kysely';
import { handler as rebuildAnalytics } from '../../../functions/analytics/rebuild-analytics';
import { analytics } from '../../../functions/consumers/analytics';
import { queueOf } from '../../../shared/broker/topology';
import type { UserEvent } from '../../../shared/events/catalog';
import { purgeEvents } from '../../../shared/ops/purge';
import { claimEvents, confirmSent } from '../../../shared/outbox/dispatch-store';
import { keepLogFrom } from '../../../shared/outbox/log-start-store';
import { relayOutbox } from '../../../shared/outbox/relay';
import { findReplay, insertReplay } from '../../../shared/outbox/replay-store';
import { openClient, Received } from '../../setup/broker';
import { consume } from '../../setup/consume';
import { type TestContext, testContext } from '../../setup/context';
import { untilLockIsAwaited } from '../../setup/database';
import { call } from '../../setup/http';
import { makeDue, makeUnsent, takeReplaySteps } from '../../setup/outbox';
import { logInAdmin, type Person, registerPerson } from '../../setup/people';

let ctx: TestContext;
let admin: Person;
let client: Awaited<ReturnType<typeof openClient>>;
let received: Received;
/** Of what was received, how much has been handed to the consumer. */
let handled: number;
beforeEach(async () => {
  ctx = await testContext({ EVENT_RETENTION_DAYS: '10', RELAY_IDLE_MS: '5' });
  client = await openClient();
  received = await Received.from(client.channel, queueOf(ctx.config.events, 'analytics'));
  handled = 0;
  ctx.clock.now = new Date('2026-11-20T10:59:59.999Z');
  await registerPerson(ctx);
  ctx.clock.now = new Date('2026-11-20T11:00:00.000Z');
  await registerPerson(ctx);
  ctx.clock.now = new Date('2026-11-20T13:30:00.000Z');
  await registerPerson(ctx);
  admin = await logInAdmin(ctx);
  await relay();
  await deliver(5);
});
afterEach(async () => {
  await client.model.close();
  await ctx.close();
});

const rebuild = (body: Record<string, unknown> = {}) =>
  call(rebuildAnalytics, ctx, { method: 'POST', body, token: admin.accessToken });

async function relay(): Promise<void> {
  const left = async () => ctx.db.selectFrom('dispatch').select('position').executeTakeFirst();
  await makeDue(ctx);
  await takeReplaySteps(ctx);
  while (await left()) await relayOutbox(ctx, 0);
}
/** Has the consumer handle what its queue brings, once that is so much more. */
async function deliver(count: number): Promise<void> {
  await received.atLeast(handled + count);
  const events = received.bodies().slice(handled) as unknown as UserEvent[];
  handled += events.length;
  expect(
    await consume(
      analytics(() => ctx),
      events,
    ),
  ).toEqual({ batchItemFailures: [] });
}
async function counts(): Promise<Record<string, number>> {
  const rows = await ctx.db.selectFrom('analytics_hourly').selectAll().orderBy('hour').execute();
  return Object.fromEntries(
    rows.map((row) => [`${row.hour.toISOString().slice(11, 13)} ${row.metric}`, Number(row.count)]),
  );
}
const RIGHT = { '10 registrations': 1, '11 registrations': 1, '13 registrations': 2, '13 logins': 1 };
const destroy = async () => {
  await sql`update analytics_hourly set count = count + 7`.execute(ctx.db);
  await sql`delete from analytics_hourly where metric = 'logins'`.execute(ctx.db);
};

test('counts that were destroyed are as they were before', async () => {
  expect(await counts()).toEqual(RIGHT);
  await destroy();
  const { status, body } = await rebuild();
  expect([status, body]).toEqual([
    202,
    {
      from: '2026-11-20T10:00:00.000Z',
      to: '2026-11-20T14:00:00.000Z',
      replayId: expect.any(String),
    },
  ]);
  expect(await counts()).toEqual({});
  await relay();
  await deliver(5);
  expect(await counts()).toEqual(RIGHT);
  expect(await findReplay(ctx.db, body.replayId)).toMatchObject({
    status: 'finished',
    dispatched: 5,
    sent: 5,
  });
});

test('what arrives before its step comes counts once, after the step', async () => {
  const { user } = await registerPerson(ctx);
  const { rows } = await sql<{ body: UserEvent }>`
    select jsonb_build_object('id', id, 'type', type, 'subject', subject, 'sequence', sequence, 'time', time,
      'data', data, 'specversion', '1.0', 'source', 'rollcall', 'datacontenttype', 'application/json') as body
    from events where subject = ${user.id}`.execute(ctx.db);
  const count = () =>
    consume(
      analytics(() => ctx),
      rows.map(({ body }) => body),
    );
  await rebuild();
  expect(await count()).toEqual({ batchItemFailures: [] });
  expect(await counts()).toEqual({});
  await takeReplaySteps(ctx, 2);
  expect(await count()).toEqual({ batchItemFailures: [] });
  expect(await counts()).toEqual({ '13 registrations': 1 });
  await relay();
  await deliver(7);
  expect(await counts()).toEqual({ ...RIGHT, '13 registrations': 3 });
});

test('of a range, whole hours, and no others', async () => {
  await destroy();
  const { body } = await rebuild({ from: '2026-11-20T11:30:00Z', to: '2026-11-20T11:31:00Z' });
  expect(body).toMatchObject({ from: '2026-11-20T11:00:00.000Z', to: '2026-11-20T12:00:00.000Z' });
  await takeReplaySteps(ctx);
  expect(await findReplay(ctx.db, body.replayId)).toMatchObject({ dispatched: 1 });
  await relay();
  await deliver(1);
  expect(await counts()).toEqual({ '10 registrations': 8, '11 registrations': 1, '13 registrations': 9 });
});

test('what arrives meanwhile, what is still unsent and what the queue holds twice counts once', async () => {
  // Published and still in the queue; unsent; and then the range is rebuilt, twice.
  await registerPerson(ctx);
  await relay();
  const { user } = await registerPerson(ctx);
  await makeUnsent(ctx, user.id);
  await rebuild();
  await rebuild();
  await registerPerson(ctx);
  await relay();
  await received.atLeast(handled + 12);
  await deliver(12);
  await rebuild();
  await relay();
  await deliver(8);
  expect(await counts()).toEqual({ ...RIGHT, '13 registrations': 5 });
});

test('what is handled while the relay that sent it waits for other confirms counts once', async () => {
  const { user } = await registerPerson(ctx);
  await makeUnsent(ctx, user.id);
  const { events } = await claimEvents(ctx.db, 1);
  await rebuild();
  // Not counted, because the rebuild will come to it; and then the step comes, and the relay's mark.
  await consume(
    analytics(() => ctx),
    events.map(({ event }) => event),
  );
  await takeReplaySteps(ctx);
  await confirmSent(
    ctx.db,
    events.map(({ position }) => position),
  );
  await relay();
  await deliver(6);
  expect(await counts()).toEqual({ ...RIGHT, '13 registrations': 3 });
});

test('hours of which the purge has taken something keep their counts', async () => {
  ctx.clock.now = new Date('2026-12-01T08:00:00.000Z');
  const { id } = await ctx.db
    .selectFrom('events')
    .select('id')
    .where('time', '=', new Date('2026-11-20T11:00:00.000Z'))
    .executeTakeFirstOrThrow();
  // Published late: the purge leaves it, and its neighbours in time go.
  await ctx.db
    .updateTable('publications')
    .set({ published_at: new Date('2026-11-30') })
    .execute();
  // By its id, too, it is as old as its time says.
  const made = Date.parse('2026-11-20T11:00:00.000Z').toString(16).padStart(12, '0');
  const aged = `${made.slice(0, 8)}-${made.slice(8)}-7000-8000-000000000000`;
  await ctx.db.updateTable('events').set({ id: aged }).where('id', '=', id).execute();
  await ctx.db
    .updateTable('publications')
    .set({ event_id: aged, published_at: new Date('2026-11-20') })
    .where('event_id', '=', id)
    .execute();
  await ctx.db.updateTable('inbox').set({ event_id: aged }).where('event_id', '=', id).execute();
  expect(await purgeEvents(ctx, 60_000)).toMatchObject({ events: 1 });
  admin = await logInAdmin(ctx);
  const { body } = await rebuild({ from: '2026-11-01' });
  expect(body).toMatchObject({ from: '2026-11-20T12:00:00.000Z', to: '2026-12-01T09:00:00.000Z' });
  await relay();
  await deliver(5);
  const day = await counts();
  expect(day).toMatchObject(RIGHT);

  const { status, body: refused } = await rebuild({
    from: '2026-11-20T10:00:00Z',
    to: '2026-11-20T12:00:00Z',
  });
  expect([status, refused.errors[0].message]).toEqual([
    422,
    expect.stringContaining('after 2026-11-20T12:00:00.000Z, where the event log begins'),
  ]);
  expect(await counts()).toEqual(day);
});

test('the purge takes nothing that is being counted again', async () => {
  let purge: Promise<unknown> | undefined;
  await ctx.db.transaction().execute(async (tx) => {
    await keepLogFrom(tx, new Date(0));
    ctx.clock.now = new Date('2027-01-01');
    await sql`update publications set published_at = '2026-11-20'`.execute(ctx.db);
    purge = purgeEvents(ctx, 60_000);
    await untilLockIsAwaited(ctx);
    await insertReplay(tx, ctx.newId(), { queue: 'any' });
  });
  expect(await purge).toMatchObject({ events: 0 });
});

test('needs the permission events:write', async () => {
  const { accessToken } = await registerPerson(ctx);
  const { status } = await call(rebuildAnalytics, ctx, { method: 'POST', body: {}, token: accessToken });
  expect(status).toBe(403);
});

test('an empty range is refused', async () => {
  const { status, body } = await rebuild({ from: '2026-11-20T12:00:00Z', to: '2026-11-20T12:00:00Z' });
  expect([status, body.errors[0].path]).toEqual([422, 'to']);
});
