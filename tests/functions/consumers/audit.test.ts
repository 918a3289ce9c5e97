import { sql } from 'kysely';
import { audit as auditWith } from '../../../functions/consumers/audit';
import { handler as deleteUser } from '../../../functions/users/delete-user';
import type { UserEvent } from '../../../shared/events/catalog';
import type { RmqEvent } from '../../../shared/lambda/rmq-event';
import { type TestContext, testContext } from '../../setup/context';
import { storedEvents } from '../../setup/events';
import { call } from '../../setup/http';
import { registerPerson } from '../../setup/people';
import { rmqEvent } from '../../setup/rmq';

let ctx: TestContext;
let events: UserEvent[];
// A database for each test: nothing can be taken out of an audit log.
beforeEach(async () => {
  ctx = await testContext();
  for (let i = 0; i < 3; i++) await registerPerson(ctx);
  events = await storedEvents(ctx);
});
afterEach(() => ctx.close());

const audit = (batch: RmqEvent) => auditWith(() => ctx)(batch);
const entries = () => ctx.db.selectFrom('audit_log').selectAll().orderBy('event_id').execute();

test('writes an entry per event, with who did it and from where', async () => {
  expect(await audit(rmqEvent(events))).toEqual({ batchItemFailures: [] });
  expect(await entries()).toEqual(
    events.map((event) => ({
      event_id: event.id,
      type: 'user.created',
      subject: event.subject,
      time: ctx.clock.now,
      actor_id: event.subject,
      address: '192.0.2.1',
      user_agent: 'tests',
      request_id: expect.any(String),
      details: { role: 'user' },
    })),
  );
});

test('an event takes effect once, delivered again, twice in a batch, or to two containers at once', async () => {
  await audit(rmqEvent([...events, ...events]));
  await audit(rmqEvent(events));
  await Promise.all([audit(rmqEvent([...events].reverse())), audit(rmqEvent(events))]);
  expect(await entries()).toHaveLength(events.length);
});

test('logs the trace of the request that an event came from', async () => {
  await audit(rmqEvent(events.slice(0, 1)));
  const traceId = events[0]?.traceparent?.split('-')[1];
  expect(ctx.logged.at(-1)).toMatchObject({
    message: 'An event was handled',
    traceId,
    eventId: events[0]?.id,
  });
});

describe('where one event of a batch cannot be handled', () => {
  // The database itself refuses this one: an event that is not in the log and has no valid time.
  const poison = () => ({ ...events[1], time: '999999-01-01T00:00:00.000Z' }) as UserEvent;
  const batch = () => [events[0], poison(), events[2]] as UserEvent[];

  beforeEach(async () => {
    await sql`alter table audit_log add constraint no_far_future check (time < '9000-01-01')`.execute(ctx.db);
  });

  test('our poller is told which, and the others are done', async () => {
    const answer = await audit(rmqEvent(batch()));
    expect(answer.batchItemFailures).toEqual([{ itemIdentifier: events[1]?.id, reason: expect.any(String) }]);
    expect((await entries()).map((entry) => entry.event_id)).toEqual([events[0]?.id, events[2]?.id]);
    // Not in the inbox either: the next attempt is a real one.
    await audit(rmqEvent(events));
    expect(await entries()).toHaveLength(3);
  });

  test("Amazon MQ's mapping, which knows no partial answer, gets an exception", async () => {
    const arn = 'arn:aws:mq:eu-central-1:123456789012:broker:rollcall:b-9bcfa592';
    await expect(audit(rmqEvent(batch(), arn))).rejects.toThrow("1 of the batch's messages failed");
    expect(await entries()).toHaveLength(2);
  });
});

test('a message that is no event is a failure that is named', async () => {
  const batch = rmqEvent(events.slice(0, 1));
  const [messages] = Object.values(batch.rmqMessagesByQueue);
  const [first] = messages ?? [];
  if (first) messages?.push({ ...first, data: Buffer.from('{}').toString('base64') });
  expect((await audit(batch)).batchItemFailures).toEqual([
    { itemIdentifier: events[0]?.id, reason: 'not a valid event' },
  ]);
});

test('neither is an event of a day that does not exist, which would fail its whole batch', async () => {
  const batch = rmqEvent(
    events.slice(0, 2).map((event, i) => (i === 0 ? { ...event, time: '2026-02-30T00:00:00Z' } : event)),
  );
  expect((await audit(batch)).batchItemFailures).toEqual([
    { itemIdentifier: events[0]?.id, reason: 'not a valid event' },
  ]);
  expect(await entries()).toHaveLength(1);
});

describe('an entry stays as it was written', () => {
  test.each([
    ['UPDATE', sql`update audit_log set address = null`],
    ['UPDATE', sql`update audit_log set address = null, user_agent = null, details = details - 'nameHash'`],
    ['UPDATE', sql`update audit_log set type = 'session.created'`],
    ['UPDATE', sql`update audit_log set details = '{}'`],
    ['DELETE', sql`delete from audit_log`],
    ['TRUNCATE', sql`truncate audit_log`],
    ['TRUNCATE', sql`truncate events, audit_log cascade`],
    [
      'UPDATE',
      sql`insert into audit_log select * from audit_log on conflict (event_id) do update set address = 'elsewhere'`,
    ],
  ])('%s is refused by the database', async (operation, statement) => {
    await audit(rmqEvent(events));
    const before = await entries();
    await expect(statement.execute(ctx.db)).rejects.toMatchObject({
      message: `audit_log is append-only: ${operation} is refused`,
      code: '42501',
    });
    expect(await entries()).toEqual(before);
    expect(before).toHaveLength(3);
  });

  test('also in a session that turns triggers off', async () => {
    await audit(rmqEvent(events));
    const tampering = ctx.db.transaction().execute(async (tx) => {
      await sql`set local session_replication_role = replica`.execute(tx);
      await tx.deleteFrom('audit_log').execute();
    });
    await expect(tampering).rejects.toThrow('audit_log is append-only');
    expect(await entries()).toHaveLength(3);
  });

  test('when its user is deleted, and that is written too', async () => {
    const { user, accessToken: token } = await registerPerson(ctx);
    const mine = async () => (await entries()).filter(({ subject }) => subject === user.id);
    await audit(rmqEvent(await storedEvents(ctx)));
    const before = await mine();
    const answer = await call(deleteUser, ctx, { method: 'DELETE', params: { id: 'me' }, token });
    expect(answer.status).toBe(200);
    await audit(rmqEvent(await storedEvents(ctx)));
    expect((await mine()).map(({ type }) => type)).toEqual(
      expect.arrayContaining(['user.created', 'user.deleted', 'session.revoked']),
    );
    expect(await mine()).toEqual(expect.arrayContaining(before));
  });
});
