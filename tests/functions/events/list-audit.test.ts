import { handler as listAudit } from '../../../functions/events/list-audit';
import { appendAuditEntries } from '../../../shared/audit/audit-store';
import { type TestContext, testContext } from '../../setup/context';
import { storedEvents } from '../../setup/events';
import { call } from '../../setup/http';
import { logInAdmin, type Person, registerPerson } from '../../setup/people';

let ctx: TestContext;
let admin: Person;
let early: Person;
let late: Person;
beforeAll(async () => {
  ctx = await testContext();
  ctx.clock.now = new Date('2026-11-20T10:00:00.000Z');
  early = await registerPerson(ctx);
  ctx.clock.now = new Date('2026-11-21T10:00:00.000Z');
  late = await registerPerson(ctx);
  admin = await logInAdmin(ctx);
  const events = await storedEvents(ctx);
  await ctx.db.transaction().execute(async (tx) => {
    for (const event of events) await appendAuditEntries(tx, [event]);
  });
});
afterAll(() => ctx.close());

const list = (query: Record<string, string> = {}) =>
  call(listAudit, ctx, { query, token: admin.accessToken });
const subjects = (body: { entries: { subject: string }[] }) => body.entries.map((entry) => entry.subject);

test('lists who did what, when and from where', async () => {
  const { status, body } = await list({ subject: early.user.id });
  expect(status).toBe(200);
  expect(body).toEqual({
    entries: [
      {
        eventId: expect.any(String),
        type: 'user.created',
        subject: early.user.id,
        actor: early.user.id,
        time: '2026-11-20T10:00:00.000Z',
        address: '192.0.2.1',
        userAgent: 'tests',
        requestId: expect.any(String),
        details: { role: 'user' },
      },
    ],
    nextCursor: null,
  });
});

test('filters by actor, type and time; the end of a range is not part of it', async () => {
  expect(subjects((await list({ actor: late.user.id })).body)).toEqual([late.user.id]);
  expect(subjects((await list({ type: 'session.created' })).body)).toEqual([admin.user.id]);
  expect(subjects((await list({ to: '2026-11-21' })).body)).toEqual([early.user.id]);
  expect((await list({ from: '2026-11-21T10:00:00.000Z' })).body.entries).toHaveLength(3);
  expect((await list({ from: '2026-11-20', to: '2026-11-20T10:00:00Z' })).body.entries).toHaveLength(0);
});

test('pages, also through entries of the same time', async () => {
  const all = (await list()).body.entries;
  const first = (await list({ limit: '2' })).body;
  const second = (await list({ limit: '2', cursor: first.nextCursor })).body;
  expect([...first.entries, ...second.entries]).toEqual(all);
  expect(second.nextCursor).toBeNull();
});

test.each([[{ from: 'yesterday' }], [{ to: '2026-13-01' }], [{ actor: 'me' }], [{ cursor: 'W10' }]])(
  'refuses the query %j',
  async (query) => {
    const { status, body } = await list(query);
    expect([status, body.errors?.[0].path]).toEqual([422, Object.keys(query)[0]]);
  },
);

test('is for those who may read the audit log', async () => {
  const answer = await call(listAudit, ctx, { token: late.accessToken });
  expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
});
