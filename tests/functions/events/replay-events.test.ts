import { sql } from 'kysely';
import { audit as auditWith } from '../../../functions/consumers/audit';
import { handler as getReplay } from '../../../functions/events/get-replay';
import { handler as listReplays } from '../../../functions/events/list-replays';
import { handler as replayEvents } from '../../../functions/events/replay-events';
import { queueOf } from '../../../shared/broker/topology';
import { runReplays, takeReplayStep } from '../../../shared/event-operations/run-replays';
import { parseEvent } from '../../../shared/events/catalog';
import { claimEvents, confirmSent } from '../../../shared/outbox/dispatch-store';
import { relayOutbox } from '../../../shared/outbox/relay';
import { dispatchStep, lockNextReplay } from '../../../shared/outbox/replay-store';
import { openClient, Received } from '../../setup/broker';
import { consume } from '../../setup/consume';
import { type TestContext, testContext } from '../../setup/context';
import { call } from '../../setup/http';
import { countUnsent, fillOutbox, inversions, makeDue, takeReplaySteps } from '../../setup/outbox';
import { logInAdmin, type Person, registerPerson } from '../../setup/people';

let ctx: TestContext;
let admin: Person;
let client: Awaited<ReturnType<typeof openClient>>;
let queue: string;
let users: string[];
beforeEach(async () => {
  ctx = await testContext({ RELAY_BATCH_SIZE: '10', RELAY_IDLE_MS: '5' });
  queue = queueOf(ctx.config.events, 'audit');
  client = await openClient();
  admin = await logInAdmin(ctx);
  users = await fillOutbox(ctx, 20, 2);
  while ((await countUnsent(ctx)) > 0) await relayOutbox(ctx, 0);
  await client.channel.purgeQueue(queue);
});
afterEach(async () => {
  await client.model.close();
  await ctx.close();
});

const replay = (body: Record<string, unknown>) =>
  call(replayEvents, ctx, { method: 'POST', body, token: admin.accessToken });
const show = async (id: string) =>
  (await call(getReplay, ctx, { params: { replayId: id }, token: admin.accessToken })).body;
async function relayAll(): Promise<void> {
  let left: unknown;
  do {
    await takeReplaySteps(ctx);
    await relayOutbox(ctx, 0);
    left = await ctx.db.selectFrom('dispatch').select('position').executeTakeFirst();
  } while (left);
}

test('sends the events to that queue alone, each once and in order', async () => {
  const others = await Received.bound(client.channel, ctx.config.events.exchange);
  const received = await Received.from(client.channel, queue);
  const { status, body } = await replay({ queue, types: ['user.created', 'user.email_verified'] });
  // And those of the administrator who asks.
  expect(status).toBe(202);
  expect(body).toMatchObject({ queue, status: 'running', dispatched: 0, sent: 0, finishedAt: null });
  expect([body.total >= 61, body.totalIsExact]).toEqual([true, false]);
  await relayAll();
  await received.atLeast(61);
  expect(inversions(received.bodies())).toEqual([]);
  expect(new Set(received.messages.map((message) => message.properties.messageId)).size).toBe(61);
  expect(others.messages).toEqual([]);
  expect(await show(body.id)).toEqual({
    ...body,
    ...{ status: 'finished', dispatched: 61, sent: 61, total: 61, totalIsExact: true },
    finishedAt: expect.any(String),
  });
});

test.each<[string, () => Record<string, unknown>, number]>([
  ['a user', () => ({ subject: users[0] }), 3],
  ['a type', () => ({ types: ['user.email_verified'] }), 40],
  ['a time before all', () => ({ to: '2020-01-01' }), 0],
  ['a time after all', () => ({ from: '2100-01-01' }), 0],
  ['a range of time', () => ({ from: '2020-01-01', to: '2100-01-01', subject: users[1] }), 3],
])('selects by %s', async (_name, filter, count) => {
  const { body } = await replay({ queue, ...filter() });
  await takeReplaySteps(ctx, 7);
  expect(await show(body.id)).toMatchObject({ dispatched: count, total: count, totalIsExact: true });
});

test.each<[string, () => Record<string, unknown>, number]>([
  ['all', () => ({}), 62],
  ['a user', () => ({ subject: users[0] }), 3],
  ['types', () => ({ types: ['user.created', 'user.email_verified'] }), 61],
  ['a time before all', () => ({ to: '2020-01-01' }), 0],
  ['a time after all', () => ({ from: '2100-01-01' }), 0],
])('a dry run counts %s, and asks for nothing', async (_name, filter, count) => {
  const { status, body } = await replay({ queue, ...filter(), dryRun: true });
  expect([status, body]).toEqual([200, { count, isMore: false }]);
  expect(await ctx.db.selectFrom('replays').select('id').execute()).toEqual([]);
  const unknown = await replay({ queue: 'rollcall.nowhere', dryRun: true });
  expect([unknown.status, unknown.body.errors[0].path]).toEqual([422, 'queue']);
});

test('a dry run stops counting at 100,000', async () => {
  await sql`
    insert into events (id, type, subject, sequence, time, data)
    select gen_random_uuid(), 'session.created', gen_random_uuid(), '1', now(), '{}'
    from generate_series(1, 100001)`.execute(ctx.db);
  expect((await replay({ queue, dryRun: true })).body).toEqual({ count: 100_000, isMore: true });
});

test('what is still unsent is not sent twice', async () => {
  const [subject] = await fillOutbox(ctx, 1);
  const { body } = await replay({ queue, subject });
  await takeReplaySteps(ctx);
  expect(await show(body.id)).toMatchObject({ status: 'finished', dispatched: 0 });
});

test('changes nothing where the consumer has handled it all', async () => {
  const audit = auditWith(() => ctx);
  const received = await Received.from(client.channel, queue);
  const entries = () =>
    ctx.db
      .selectFrom('audit_log')
      .selectAll()
      // The replay's own.
      .where('type', '<>', 'events.replayed')
      .orderBy('event_id')
      .execute();
  const seen = [];
  for (let i = 1; i <= 2; i++) {
    await replay({ queue });
    await relayAll();
    await received.atLeast(i * 62);
    const events = received.messages.slice((i - 1) * 62).map(({ content }) => parseEvent(content));
    await consume(
      audit,
      events.filter((event) => event !== null),
    );
    seen.push(await entries());
  }
  expect(seen[0]).toHaveLength(62);
  expect(seen[1]).toEqual(seen[0]);
});

test('an unknown queue is refused with the names of those that there are', async () => {
  const { status, body } = await replay({ queue: 'rollcall.nobody' });
  expect([status, body.errors]).toEqual([
    422,
    [{ path: 'queue', message: expect.stringContaining(`must be one of ${queue}`) }],
  ]);
});

test('a queue that is gone: the events wait, and arrive when it is back', async () => {
  await replay({ queue, subject: users[0] });
  await relayAll();
  await replay({ queue, subject: users[0] });
  await takeReplaySteps(ctx);
  // Declared again by the next relay's start, so gone only for what this one still sends.
  const { channel } = await ctx.broker.open(1_000);
  await channel.deleteQueue(queue);
  await relayOutbox(ctx, 0);
  await makeDue(ctx);
  await relayAll();
  expect((await client.channel.checkQueue(queue)).messageCount).toBe(3);
});

test('goes in steps, each of which is done or not, whoever takes it and however it ends', async () => {
  const { body } = await replay({ queue });
  await expect(
    ctx.db.transaction().execute(async (tx) => {
      const step = await lockNextReplay(tx);
      if (step) await dispatchStep(tx, step, 10);
      throw new Error('The container was killed');
    }),
  ).rejects.toThrow('killed');
  expect(await show(body.id)).toMatchObject({ dispatched: 0 });
  await takeReplayStep(ctx.db, 10);
  // And 10 events further in one look at the log.
  expect(await show(body.id)).toMatchObject({ dispatched: 10, total: body.total, totalIsExact: false });

  const stop = new AbortController();
  const runs = [1, 2, 3].map(() => runReplays(ctx, 60_000, stop.signal));
  while (!(await show(body.id)).totalIsExact) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  await Promise.all(runs);
  const rows = await ctx.db
    .selectFrom('dispatch')
    .select('event_id')
    .where('replay_id', '=', body.id)
    .execute();
  expect([rows.length, new Set(rows.map((row) => row.event_id)).size]).toEqual([62, 62]);
});

test('waits while enough of it is under way, and a new event goes out before the rest', async () => {
  await sql`
    insert into events (id, type, subject, sequence, time, data)
    select gen_random_uuid(), 'user.deleted', gen_random_uuid(), '0000000001', now(), '{}'
    from generate_series(1, 10000)`.execute(ctx.db);
  const { body } = await replay({ queue, types: ['user.deleted'] });
  await takeReplaySteps(ctx);
  expect(await takeReplayStep(ctx.db)).toBe('full');
  const { dispatched } = await show(body.id);
  expect(dispatched).toBeLessThan(6_000);
  await fillOutbox(ctx, 1);
  const claimed = await claimEvents(ctx.db, 10_000);
  expect(claimed.events).toHaveLength(dispatched + 1);
  expect(claimed.events.at(-1)?.queue).toBeNull();
  await confirmSent(
    ctx.db,
    claimed.events.map(({ position }) => position),
  );
  expect(await show(body.id)).toMatchObject({ status: 'running', sent: dispatched });
  expect(await takeReplayStep(ctx.db)).toBe('taken');
});

test('a replay that waits for its queue does not hold up another one', async () => {
  const stuck = await replay({ queue });
  await takeReplaySteps(ctx);
  await sql`update replays set dispatched = dispatched + 5000, position = position - 1`.execute(ctx.db);
  const other = await replay({ queue, subject: users[0] });
  await takeReplaySteps(ctx);
  expect(await show(other.body.id)).toMatchObject({ dispatched: 3, totalIsExact: true });
  expect(await show(stuck.body.id)).toMatchObject({ totalIsExact: false });
});

test('the list, newest first, is for those who may read events', async () => {
  const ids = [];
  for (const subject of users.slice(0, 3)) ids.unshift((await replay({ queue, subject })).body.id);
  const list = (query: Record<string, string>, token = admin.accessToken) =>
    call(listReplays, ctx, { query, token });
  const { body: first } = await list({ limit: '2' });
  const { body: second } = await list({ limit: '2', cursor: first.nextCursor });
  const listed = [...first.replays, ...second.replays].map((item: { id: string }) => item.id);
  expect([listed, second.nextCursor]).toEqual([ids, null]);
  const { accessToken } = await registerPerson(ctx);
  expect((await list({}, accessToken)).status).toBe(403);
  const reading = await call(getReplay, ctx, { params: { replayId: ids[0] }, token: accessToken });
  expect(reading.status).toBe(403);
  expect(
    (await call(getReplay, ctx, { params: { replayId: ctx.newId() }, token: admin.accessToken })).status,
  ).toBe(404);
});
