import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { handler as listEvents } from '../../../functions/events/list-events';
import { queueOf } from '../../../shared/broker/topology';
import { firstIdOf } from '../../../shared/events/event-id';
import { type TestContext, testContext } from '../../setup/context';
import { call } from '../../setup/http';
import { outcomesOf } from '../../setup/outbox';
import { logInAdmin, type Person, registerPerson } from '../../setup/people';

let ctx: TestContext;
let admin: Person;
let people: Person[];
beforeAll(async () => {
  ctx = await testContext();
  admin = await logInAdmin(ctx);
  people = [await registerPerson(ctx), await registerPerson(ctx), await registerPerson(ctx)];
});
afterAll(() => ctx.close());

const list = (query: Record<string, string> = {}) =>
  call(listEvents, ctx, { query, token: admin.accessToken });
const subjects = (events: { subject: string }[]) => events.map((event) => event.subject);
const ids = () => people.map((person) => person.user.id);

test('lists events newest first, with what became of them', async () => {
  const handledAt = new Date('2026-11-20T10:00:00.000Z');
  const event = await ctx.db
    .selectFrom('events')
    .selectAll()
    .where('subject', '=', people[2]?.user.id ?? '')
    .executeTakeFirstOrThrow();
  await ctx.db
    .insertInto('inbox')
    .values({ event_id: event.id, consumer: 'audit', handled_at: handledAt })
    .execute();

  const [outcome] = await outcomesOf(ctx, event.subject);

  const { status, body } = await list();
  expect(status).toBe(200);
  expect(subjects(body.events)).toEqual([...ids().reverse(), admin.user.id, admin.user.id]);
  expect(body.events[0]).toEqual({
    position: expect.any(Number),
    id: event.id,
    type: 'user.created',
    subject: people[2]?.user.id,
    sequence: '0000000001',
    time: ctx.clock.now.toISOString(),
    data: expect.objectContaining({ username: people[2]?.user.username }),
    status: 'published',
    createdAt: event.created_at.toISOString(),
    publishedAt: outcome?.published_at?.toISOString(),
    attempts: 1,
    lastError: null,
    handledAt: { audit: handledAt.toISOString() },
    consumers: {
      audit: 'handled',
      emails: 'waiting',
      'admin-notices': 'waiting',
      analytics: 'waiting',
      webhooks: 'waiting',
    },
  });
  expect(body.nextCursor).toBeNull();
});

test('pages through all of it', async () => {
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const { body }: Awaited<ReturnType<typeof list>> = await list({ limit: '2', ...(cursor && { cursor }) });
    seen.push(...subjects(body.events));
    cursor = body.nextCursor;
  } while (cursor);
  expect(seen).toEqual([...ids().reverse(), admin.user.id, admin.user.id]);
});

test('filters by type, subject and status', async () => {
  expect((await list({ type: 'session.created' })).body.events).toHaveLength(1);
  expect(subjects((await list({ subject: ids()[0] ?? '' })).body.events)).toEqual([ids()[0]]);
  // The admin's two events are the relay's to send, and no relay runs here.
  expect(subjects((await list({ status: 'pending' })).body.events)).toEqual([admin.user.id, admin.user.id]);
  expect((await list({ status: 'published' })).body.events).toHaveLength(3);
});

test('says which consumers it is retried at, or dead, and finds it by that', async () => {
  const [first, second] = await ctx.db
    .selectFrom('events')
    .select(['id', 'subject', 'sequence'])
    .where('type', '=', 'user.created')
    .where('subject', 'in', ids().slice(0, 2))
    .orderBy('position')
    .execute();
  if (!first || !second) throw new Error('There are no events');
  await ctx.db
    .insertInto('retrying_events')
    .values({
      consumer: 'emails',
      event_id: first.id,
      subject: first.subject,
      sequence: first.sequence,
      due_at: new Date(),
    })
    .execute();
  const letter = { id: uuidv7(), error: 'no luck', attempts: 6, subject: second.subject };
  const queue = queueOf(ctx.config.events, 'admin-notices');
  const body = Buffer.from('?');
  await ctx.db
    .insertInto('dead_letters')
    .values({ ...letter, fingerprint: body, queue, message_id: second.id, body })
    .execute();
  const [retrying, dead] = [(await list({ status: 'retrying' })).body, (await list({ status: 'dead' })).body];
  expect(retrying.events).toMatchObject([
    { id: first.id, consumers: { emails: 'retrying', audit: 'waiting' } },
  ]);
  expect(dead.events).toMatchObject([{ id: second.id, consumers: { 'admin-notices': 'dead' } }]);
  const ofLogin = (await list({ type: 'session.created' })).body.events[0].consumers;
  expect(Object.keys(ofLogin)).toEqual(['audit', 'analytics', 'webhooks']);
});

test('filters by time', async () => {
  const at = ctx.clock.now.toISOString();
  const later = new Date(ctx.clock.now.getTime() + 1).toISOString();
  expect((await list({ from: at, to: later })).body.events).toHaveLength(5);
  expect((await list({ from: later })).body.events).toEqual([]);
  expect((await list({ to: at })).body.events).toEqual([]);
  // An old part of the log: with hours between them, the ids say where it is.
  const old = Date.now() - 3 * 60 * 60 * 1000;
  const hours = [0, 1, 2].map((hour) => new Date(old - hour * 60 * 60 * 1000));
  const other = await testContext();
  for (const time of [...hours].reverse()) await appendAt(other, time);
  const reader = await logInAdmin(other);
  const found = async (query: Record<string, string>) =>
    (await call(listEvents, other, { query, token: reader.accessToken })).body.events.map(
      (event: { time: string }) => event.time,
    );
  const [newest, middle, oldest] = hours.map((time) => time.toISOString());
  if (!newest || !middle || !oldest) throw new Error('There are no times');
  expect(await found({ from: middle, to: newest })).toEqual([middle]);
  expect(await found({ to: newest })).toEqual([middle, oldest]);
  expect(await found({ from: oldest, to: middle, type: 'session.created' })).toEqual([oldest]);
  await other.close();
});

/** An event as it would have been appended then. */
async function appendAt(at: TestContext, time: Date): Promise<void> {
  const id = `${firstIdOf(time).slice(0, -12)}${randomBytes(6).toString('hex')}`;
  const event = { id, type: 'session.created', subject: uuidv7(), sequence: '1', time, data: '{}' };
  await at.db.insertInto('events').values(event).execute();
}

test('a page of a rare type looks at 50,000 events, and the next one goes on from there', async () => {
  const other = await testContext();
  const reader = await logInAdmin(other);
  await sql`
    insert into events (id, type, subject, sequence, time, data)
    select gen_random_uuid(), 'user.deleted', gen_random_uuid(), '1', now(), '{}'
    from generate_series(1, 50001)`.execute(other.db);
  const find = async (query: Record<string, string>) =>
    (
      await call(listEvents, other, {
        query: { type: 'session.created', ...query },
        token: reader.accessToken,
      })
    ).body;
  const first = await find({});
  expect([first.events, first.nextCursor]).toEqual([[], expect.any(String)]);
  const second = await find({ cursor: first.nextCursor });
  expect([second.events.length, second.nextCursor]).toEqual([1, null]);
  await other.close();
});

test.each([
  [{ limit: '0' }],
  [{ limit: '101' }],
  [{ limit: 'ten' }],
  [{ subject: 'gorden' }],
  [{ status: 'lost' }],
  [{ cursor: 'x' }],
  [{ cursor: Buffer.from('["a"]').toString('base64url') }],
  [{ page: '2' }],
  [{ from: 'yesterday' }],
  [{ after: 'x' }],
  [{ after: Buffer.from('{"after":-1}').toString('base64url') }],
  [{ after: '', cursor: Buffer.from('1').toString('base64url') }],
  [{ type: 'a\0' }],
])('refuses the query %j', async (query) => {
  const { status, body } = await list(query);
  expect([status, body.code]).toEqual([422, 'invalid_request']);
  expect(body.errors[0].path).toBe(Object.keys(query)[0]);
});

test('is for those who may read events', async () => {
  const answer = await call(listEvents, ctx, { token: people[0]?.accessToken ?? '' });
  expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
  expect((await call(listEvents, ctx)).status).toBe(401);
});
