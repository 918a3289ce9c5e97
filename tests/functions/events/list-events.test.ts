import { handler as listEvents } from '../../../functions/events/list-events';
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

test.each([
  [{ limit: '0' }],
  [{ limit: '101' }],
  [{ limit: 'ten' }],
  [{ subject: 'gorden' }],
  [{ status: 'lost' }],
  [{ cursor: 'x' }],
  [{ cursor: Buffer.from('["a"]').toString('base64url') }],
  [{ page: '2' }],
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
