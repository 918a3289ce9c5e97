import { lockLogStart } from '../../../shared/events/log-start-store';
import { purgeEvents } from '../../../shared/events/purge';
import { claimRedeliveries, replayEvents } from '../../../shared/events/redelivery-store';
import { relayOutbox } from '../../../shared/events/relay';
import { type TestContext, testContext } from '../../setup/context';
import { untilLockIsAwaited } from '../../setup/database';
import { registerPerson } from '../../setup/people';

const DAY_MS = 24 * 60 * 60 * 1000;

let ctx: TestContext;
beforeEach(async () => {
  ctx = await testContext({ EVENT_RETENTION_DAYS: '10' });
});
afterEach(() => ctx.close());

const purge = (budgetMs = 60_000) => purgeEvents(ctx, budgetMs);
const events = () => ctx.db.selectFrom('outbox').select('subject').execute();
const handled = () => ctx.db.selectFrom('inbox').select('event_id').execute();
/** Days go by. */
function pass(days: number): void {
  ctx.clock.now = new Date(ctx.clock.now.getTime() + days * DAY_MS);
}
async function markHandled(): Promise<void> {
  const rows = await ctx.db.selectFrom('outbox').select('id').execute();
  const inbox = rows.map(({ id }) => ({ event_id: id, consumer: 'audit' }));
  await ctx.db.insertInto('inbox').values(inbox).execute();
}

test('published events go after their retention, and what says that they were handled a month later', async () => {
  await registerPerson(ctx);
  await relayOutbox(ctx, 0);
  await markHandled();
  pass(9);
  expect(await purge()).toEqual({ events: 0, handled: 0, retries: 0, deliveries: 0 });
  pass(2);
  expect(await purge()).toEqual({ events: 1, handled: 0, retries: 0, deliveries: 0 });
  expect([await events(), (await handled()).length]).toEqual([[], 1]);
  pass(30);
  expect(await purge()).toEqual({ events: 0, handled: 1, retries: 0, deliveries: 0 });
});

test('what is unsent stays, however old, and so does what is about to be sent again', async () => {
  const { user } = await registerPerson(ctx);
  const other = await registerPerson(ctx);
  await relayOutbox(ctx, 0);
  await ctx.db.updateTable('outbox').set({ published_at: null }).where('subject', '=', user.id).execute();
  await ctx.db.transaction().execute((tx) => replayEvents(tx, { queue: 'x', subject: other.user.id }));
  pass(1_000);
  expect(await purge()).toMatchObject({ events: 0 });
  expect(await events()).toHaveLength(2);
});

test('a replay during a purge waits for it, and sends what is left', async () => {
  const { user } = await registerPerson(ctx);
  await relayOutbox(ctx, 0);
  const replay = () =>
    ctx.db.transaction().execute((tx) => replayEvents(tx, { queue: 'x', subject: user.id }));
  const purging = ctx.db.transaction().execute(async (tx) => {
    await lockLogStart(tx);
    await tx.deleteFrom('outbox').where('subject', '=', user.id).execute();
    const replaying = replay();
    await untilLockIsAwaited(ctx);
    return { replaying };
  });
  expect(await (await purging).replaying).toBe(0);
});

test('what is to be sent again and is no longer in the log keeps nothing else from being sent', async () => {
  const gone = await registerPerson(ctx);
  const other = await registerPerson(ctx);
  await relayOutbox(ctx, 0);
  for (const { user } of [gone, other])
    await ctx.db.transaction().execute((tx) => replayEvents(tx, { queue: 'x', subject: user.id }));
  await ctx.db.deleteFrom('outbox').where('subject', '=', gone.user.id).execute();
  expect(await claimRedeliveries(ctx.db, 10)).toMatchObject([{ event: { subject: other.user.id } }]);
  expect(await ctx.db.selectFrom('redeliveries').select('subject').execute()).toEqual([
    { subject: other.user.id },
  ]);
});

test('goes in small batches, until its budget is spent', async () => {
  await ctx.db.connection().execute(async (db) => {
    const rows = Array.from({ length: 2_500 }, (_, i) => ({
      event_id: `01990000-0000-7000-8000-${String(i).padStart(12, '0')}`,
      consumer: 'audit',
    }));
    await db.insertInto('inbox').values(rows).execute();
  });
  pass(365);
  expect(await purge(0)).toEqual({ events: 0, handled: 0, retries: 0, deliveries: 0 });
  expect(await purge()).toEqual({ events: 0, handled: 2_500, retries: 0, deliveries: 0 });
  expect(await handled()).toEqual([]);
});

test('a retry that never came around is forgotten', async () => {
  const id = ctx.newId();
  const row = { consumer: 'audit', event_id: id, subject: id, sequence: '0000000001' };
  await ctx.db
    .insertInto('retrying_events')
    .values({ ...row, due_at: ctx.now() })
    .execute();
  pass(29);
  expect(await purge()).toMatchObject({ retries: 0, deliveries: 0 });
  pass(2);
  expect(await purge()).toMatchObject({ retries: 1 });
});
