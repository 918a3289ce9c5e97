import { sql } from 'kysely';
import { measuredRelay } from '../../../shared/ops/measured-runs';
import { restoreDueUsers } from '../../../shared/users/restore-due-users';
import { lockUserRow } from '../../../shared/users/user-store';
import { openClient, Received } from '../../setup/broker';
import { type TestContext, testContext } from '../../setup/context';
import { untilLockIsAwaited } from '../../setup/database';
import { later } from '../../setup/factors';
import { readEvents } from '../../setup/mail-flow';
import { makeDue } from '../../setup/outbox';
import { logInAdmin, type Person, registerPerson } from '../../setup/people';
import { restore, suspend } from '../../setup/suspension';

let ctx: TestContext;
let admin: Person;
beforeEach(async () => {
  ctx = await testContext();
  admin = await logInAdmin(ctx);
});
afterEach(() => ctx.close());

const inSeconds = (seconds: number) => new Date(ctx.clock.now.getTime() + seconds * 1000).toISOString();
const restored = async () => (await readEvents(ctx)).filter(({ type }) => type === 'user.restored');

test('appends the event at the end of a suspension: not before, and once', async () => {
  const [a, b] = [await registerPerson(ctx), await registerPerson(ctx)];
  await suspend(ctx, admin, a.user.id, { until: inSeconds(60), reason: 'Spam' });
  await suspend(ctx, admin, b.user.id);
  later(ctx, 59);
  expect(await restoreDueUsers(ctx)).toBe(0);
  later(ctx, 1);
  expect([await restoreDueUsers(ctx), await restoreDueUsers(ctx)]).toEqual([1, 0]);
  expect(await restored()).toMatchObject([
    {
      subject: a.user.id,
      sequence: '0000000003',
      data: { id: a.user.id },
      time: ctx.clock.now.toISOString(),
    },
  ]);
  const users = await ctx.db
    .selectFrom('users')
    .select(['version', 'suspended_at', 'suspended_until', 'suspension_reason'])
    .where('id', '=', a.user.id)
    .execute();
  expect(users).toEqual([{ version: 3, suspended_at: null, suspended_until: null, suspension_reason: null }]);
  const event = await ctx.db
    .selectFrom('events')
    .select('actor_id')
    .where('type', '=', 'user.restored')
    .executeTakeFirst();
  expect(event).toEqual({ actor_id: null });
});

test('several at once restore each of hundreds of users once', async () => {
  await sql`
    insert into users (id, username, metadata, role, created_at, updated_at, suspended_at, suspended_until)
    select gen_random_uuid(), 'user_' || n, '{}', 'user', now(), now(), now(),
      ${ctx.clock.now}::timestamptz - n * interval '1 second'
    from generate_series(1, 350) n`.execute(ctx.db);
  await Promise.all(Array.from({ length: 4 }, () => restoreDueUsers(ctx)));
  // Those that one had locked, the others skipped.
  await restoreDueUsers(ctx);
  const subjects = (await restored()).map(({ subject }) => subject);
  expect([subjects.length, new Set(subjects).size]).toEqual([350, 350]);
});

test.each([
  ['restores first', (id: string) => restore(ctx, admin, id), 1, null],
  ['suspends anew first', (id: string) => suspend(ctx, admin, id, {}), 0, { suspended_until: null }],
])('an administrator who %s leaves nothing to do', async (_, act, events, expected) => {
  const { user } = await registerPerson(ctx);
  await suspend(ctx, admin, user.id, { until: inSeconds(60) });
  later(ctx, 60);
  const { answer } = await ctx.db.transaction().execute(async (tx) => {
    await lockUserRow(tx, user.id);
    const answer = act(user.id);
    await untilLockIsAwaited(ctx, 1);
    // The user is locked, and left to the next run.
    expect(await restoreDueUsers(ctx)).toBe(0);
    return { answer };
  });
  expect((await answer).status).toBe(200);
  expect(await restoreDueUsers(ctx)).toBe(0);
  expect(await restored()).toHaveLength(events);
  const row = await ctx.db
    .selectFrom('users')
    .select('suspended_until')
    .where('id', '=', user.id)
    .where('suspended_at', 'is not', null)
    .executeTakeFirst();
  expect(row ?? null).toEqual(expected);
});

test('a run of the relay does it, and sends the event', async () => {
  const client = await openClient();
  const received = await Received.bound(client.channel, ctx.config.events.exchange);
  const { user } = await registerPerson(ctx);
  await suspend(ctx, admin, user.id, { until: inSeconds(60) });
  later(ctx, 60);
  await makeDue(ctx);
  const done = new AbortController();
  const run = measuredRelay(ctx, 60_000, done.signal);
  while (!received.bodies().some(({ type }) => type === 'user.restored'))
    await new Promise((resolve) => setImmediate(resolve));
  done.abort();
  await run;
  expect(await restored()).toHaveLength(1);
  await client.model.close();
});

test('a fault of it keeps no event from being sent', async () => {
  const { user } = await registerPerson(ctx);
  await suspend(ctx, admin, user.id, { until: inSeconds(60) });
  later(ctx, 60);
  await sql`alter table users add constraint broken check (version < 3)`.execute(ctx.db);
  await makeDue(ctx);
  await measuredRelay(ctx, 0);
  expect(ctx.logged).toContainEqual(
    expect.objectContaining({
      level: 'error',
      message: expect.stringContaining('Suspensions that have ended'),
    }),
  );
  expect(await ctx.db.selectFrom('dispatch').selectAll().execute()).toEqual([]);
});
