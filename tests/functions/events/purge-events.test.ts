import { sql } from 'kysely';
import { handler as logout } from '../../../functions/auth/logout';
import { handler as refresh } from '../../../functions/auth/refresh';
import { handler as register } from '../../../functions/auth/register';
import { appendAuditEntry } from '../../../shared/audit/audit-store';
import { insertEmailToken } from '../../../shared/email-addresses/email-token-store';
import { NOBODY } from '../../../shared/events/origin';
import { purgeEvents } from '../../../shared/ops/purge';
import { claimEvents } from '../../../shared/outbox/dispatch-store';
import { lockLogStart } from '../../../shared/outbox/log-start-store';
import { relayOutbox } from '../../../shared/outbox/relay';
import { findReplay, insertReplay } from '../../../shared/outbox/replay-store';
import { addDelivery } from '../../../shared/webhooks/delivery-store';
import { type TestContext, testContext } from '../../setup/context';
import { untilLockIsAwaited } from '../../setup/database';
import { call } from '../../setup/http';
import { makeUnsent, takeReplaySteps } from '../../setup/outbox';
import { registerPerson, registration } from '../../setup/people';
import { subscribe } from '../../setup/webhooks';

const DAY_MS = 24 * 60 * 60 * 1000;

let ctx: TestContext;
beforeEach(async () => {
  ctx = await testContext({ EVENT_RETENTION_DAYS: '10' });
});
afterEach(() => ctx.close());

const purge = (budgetMs = 60_000) => purgeEvents(ctx, budgetMs);
const events = () => ctx.db.selectFrom('events').select('subject').execute();
const handled = () => ctx.db.selectFrom('inbox').select('event_id').execute();
async function replay(subject: string): Promise<string> {
  const id = ctx.newId();
  await ctx.db.transaction().execute((tx) => insertReplay(tx, id, { queue: 'x', subject }));
  return id;
}
/** Days go by. */
function pass(days: number): void {
  ctx.clock.now = new Date(ctx.clock.now.getTime() + days * DAY_MS);
}
async function markHandled(): Promise<void> {
  const rows = await ctx.db.selectFrom('events').select('id').execute();
  const inbox = rows.map(({ id }) => ({ event_id: id, consumer: 'audit' }));
  await ctx.db.insertInto('inbox').values(inbox).execute();
}

test('published events go after their retention, and what says that they were handled a month later', async () => {
  await registerPerson(ctx);
  await relayOutbox(ctx, 0);
  await markHandled();
  pass(9);
  expect(await purge()).toMatchObject({ events: 0, handled: 0 });
  pass(2);
  expect(await purge()).toMatchObject({ events: 1, handled: 0 });
  expect([await events(), (await handled()).length]).toEqual([[], 1]);
  pass(30);
  expect(await purge()).toMatchObject({ events: 0, handled: 1 });
});

test('the history of an event goes with it, and what was recorded later a month later', async () => {
  const { user } = await registerPerson(ctx);
  const { id } = await ctx.db
    .selectFrom('events')
    .select('id')
    .where('subject', '=', user.id)
    .executeTakeFirstOrThrow();
  const record = () => ctx.db.insertInto('event_history').values({ event_id: id, kind: 'failed' }).execute();
  await record();
  pass(9);
  expect(await purge()).toMatchObject({ events: 0, histories: 0 });
  pass(2);
  expect(await purge()).toMatchObject({ events: 1, histories: 0 });
  expect(await ctx.db.selectFrom('event_history').selectAll().execute()).toEqual([]);
  await record();
  pass(30);
  expect(await purge()).toMatchObject({ histories: 1 });
});

test('what is unsent stays, however old, and so does what is about to be sent again', async () => {
  const { user } = await registerPerson(ctx);
  const other = await registerPerson(ctx);
  await relayOutbox(ctx, 0);
  await makeUnsent(ctx, user.id);
  await replay(other.user.id);
  pass(1_000);
  // Asked for, and on its way.
  expect(await purge()).toMatchObject({ events: 0 });
  await takeReplaySteps(ctx);
  expect(await purge()).toMatchObject({ events: 0 });
  expect(await events()).toHaveLength(2);
});

test('an event stays as long as a webhook delivery of it is pending', async () => {
  await registerPerson(ctx);
  await relayOutbox(ctx, 0);
  const { id: endpointId } = await subscribe(ctx, 'https://hooks.example.com/');
  const { id: eventId } = await ctx.db.selectFrom('events').select('id').executeTakeFirstOrThrow();
  await addDelivery(ctx.db, endpointId, eventId, 'user.created');
  pass(60);
  expect(await purge()).toMatchObject({ events: 0, deliveries: 0 });
  await ctx.db
    .updateTable('webhook_deliveries')
    .set({ status: 'failed', finished_at: ctx.clock.now })
    .execute();
  expect(await purge()).toMatchObject({ events: 1, deliveries: 0 });
});

test('a replay during a purge waits for it, and sends what is left', async () => {
  const { user } = await registerPerson(ctx);
  await relayOutbox(ctx, 0);
  const purging = ctx.db.transaction().execute(async (tx) => {
    await lockLogStart(tx);
    await tx.deleteFrom('events').where('subject', '=', user.id).execute();
    const replaying = replay(user.id);
    await untilLockIsAwaited(ctx);
    return { replaying };
  });
  const id = await (await purging).replaying;
  await takeReplaySteps(ctx);
  expect(await findReplay(ctx.db, id)).toMatchObject({ status: 'finished', total: 0 });
});

test('what is to be sent again and is no longer in the log keeps nothing else from being sent', async () => {
  const gone = await registerPerson(ctx);
  const other = await registerPerson(ctx);
  await relayOutbox(ctx, 0);
  for (const { user } of [gone, other]) await replay(user.id);
  await takeReplaySteps(ctx);
  await ctx.db.deleteFrom('events').where('subject', '=', gone.user.id).execute();
  expect((await claimEvents(ctx.db, 10)).events).toMatchObject([{ event: { subject: other.user.id } }]);
  expect(await ctx.db.selectFrom('dispatch').select('subject').execute()).toEqual([
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
  expect(await purge(0)).toMatchObject({ events: 0, handled: 0 });
  expect(await purge()).toMatchObject({ events: 0, handled: 2_500 });
  expect(await handled()).toEqual([]);
});

test('what has the most rows does not keep the rest from its turn', async () => {
  const stop = new AbortController();
  await registerPerson(ctx);
  await sql`
    insert into inbox (event_id, consumer)
    select ('01990000-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid, 'audit'
    from generate_series(1, 3000) as i`.execute(ctx.db);
  pass(365);
  let asked = 0;
  // It stops at the second batch of the inbox.
  const db = ctx.db.withPlugin({
    transformQuery: ({ node }) => {
      if (JSON.stringify(node).includes('inbox')) asked += 1;
      if (asked === 2) stop.abort();
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  const { handled, sessions } = await purgeEvents({ ...ctx, db }, 60_000, stop.signal);
  expect([handled, sessions]).toEqual([2_000, 1]);
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

test('sessions go a week after their end, with their refresh tokens, without anybody logging in again', async () => {
  const { refreshToken, accessToken: token } = await registerPerson(ctx);
  await registerPerson(ctx);
  await call(refresh, ctx, { method: 'POST', body: { refreshToken } });
  await call(logout, ctx, { method: 'POST', body: {}, token });
  const left = async () => [
    (await ctx.db.selectFrom('sessions').select('id').execute()).length,
    (await ctx.db.selectFrom('refresh_tokens').select('hash').execute()).length,
  ];
  pass(6);
  expect([(await purge()).sessions, await left()]).toEqual([0, [2, 3]]);
  pass(2);
  expect([(await purge()).sessions, await left()]).toEqual([1, [1, 1]]);
  pass(28);
  expect([(await purge()).sessions, await left()]).toEqual([0, [1, 1]]);
  pass(2);
  expect([(await purge()).sessions, await left()]).toEqual([1, [0, 0]]);
});

test('what has run out goes: tokens of mails, former addresses, idempotency keys, counters', async () => {
  const limited = {
    ...ctx,
    config: { ...ctx.config, rateLimits: { ...ctx.config.rateLimits, enabled: true } },
  };
  const headers = { 'idempotency-key': 'a key' };
  const { body } = await call(register, limited, { method: 'POST', body: registration(), headers });
  const inAnHour = new Date(ctx.clock.now.getTime() + 60 * 60 * 1000);
  const token = { hash: Buffer.from('x'), userId: body.user.id, address: body.user.email };
  await ctx.db
    .transaction()
    .execute((tx) =>
      insertEmailToken(tx, { ...token, purpose: 'verify_email', now: ctx.clock.now, expiresAt: inAnHour }),
    );
  await ctx.db
    .insertInto('former_emails')
    .values({ user_id: body.user.id, address: 'a@example.com', version: 2, restorable_until: inAnHour })
    .execute();
  const none = { mailLinks: 0, formerAddresses: 0, idempotencyKeys: 0, rateLimits: 0 };
  expect(await purge()).toMatchObject(none);
  pass(2);
  const { mailLinks, formerAddresses, idempotencyKeys, rateLimits } = await purge();
  expect([mailLinks, formerAddresses, idempotencyKeys, rateLimits > 0]).toEqual([1, 1, 1, true]);
  for (const table of ['email_tokens', 'former_emails', 'idempotency_keys', 'rate_limits'] as const)
    expect(await ctx.db.selectFrom(table).selectAll().execute()).toEqual([]);
});

describe('the audit log forgets where somebody was, and nothing else', () => {
  const entries = () => ctx.db.selectFrom('audit_log').selectAll().orderBy('event_id').execute();
  const entryOf = (time: Date) =>
    appendAuditEntry(ctx.db, {
      id: ctx.newId(),
      type: 'session.failed',
      subject: null,
      time,
      origin: { ...NOBODY, address: '192.0.2.9', userAgent: 'a browser', requestId: 'r' },
      details: { nameHash: 'abc', reason: 'invalid_credentials' },
    });
  const ago = (days: number) => new Date(ctx.clock.now.getTime() - days * DAY_MS);

  test('after AUDIT_ADDRESS_DAYS', async () => {
    for (const days of [300, 91, 89]) await entryOf(ago(days));
    const before = await entries();
    expect(await purge()).toMatchObject({ auditAddresses: 2 });
    expect(await entries()).toEqual(
      before.map((entry, i) =>
        i === 2
          ? entry
          : { ...entry, address: null, user_agent: null, details: { reason: 'invalid_credentials' } },
      ),
    );
    expect(await purge()).toMatchObject({ auditAddresses: 0 });
  });

  test('a day old at least, whatever a clock says', async () => {
    await entryOf(ctx.clock.now);
    pass(1_000);
    expect(await purge()).toMatchObject({ auditAddresses: 0 });
  });

  const blank = sql`update audit_log set address = null, user_agent = null, details = details - 'nameHash'`;
  test.each([
    ['another address', sql`update audit_log set address = '192.0.2.10'`],
    ['half of it', sql`update audit_log set address = null`],
    ['another reason', sql`update audit_log set address = null, user_agent = null, details = '{}'`],
    [
      'who did it',
      sql`update audit_log set address = null, user_agent = null, actor_id = gen_random_uuid(),
      details = details - 'nameHash'`,
    ],
    [
      'the time',
      sql`update audit_log set address = null, user_agent = null, time = now(),
      details = details - 'nameHash'`,
    ],
    ['all of it', sql`delete from audit_log`],
  ])('the database takes no other change: %s', async (_what, statement) => {
    await entryOf(ago(100));
    const before = await entries();
    await expect(statement.execute(ctx.db)).rejects.toMatchObject({ code: '42501' });
    expect(await entries()).toEqual(before);
    await blank.execute(ctx.db);
  });
});
