// GET /events/{id}: the way of an event, as the parts of the service have left it behind.
import { uuidv7 } from 'uuidv7';
import { audit as auditWith } from '../../../functions/consumers/audit';
import { deadLetters } from '../../../functions/consumers/dead-letters';
import { handler as getEvent } from '../../../functions/events/get-event';
import { handler as listDeadLetters } from '../../../functions/events/list-dead-letters';
import { handler as listEvents } from '../../../functions/events/list-events';
import { handler as redriveDeadLetter } from '../../../functions/events/redrive-dead-letter';
import { handler as replayEvents } from '../../../functions/events/replay-events';
import { handler as deleteUser } from '../../../functions/users/delete-user';
import { handler as updateUser } from '../../../functions/users/update-user';
import { queueOf } from '../../../shared/broker/topology';
import type { RmqEvent } from '../../../shared/lambda/rmq-event';
import { putBack } from '../../../shared/outbox/dispatch-store';
import { relayOutbox } from '../../../shared/outbox/relay';
import { pollQueues } from '../../../shared/poller/poll-queues';
import type { TestContext } from '../../setup/context';
import { call } from '../../setup/http';
import { type MailContext, mailContext } from '../../setup/mail-flow';
import { makeUnsent, takeReplaySteps } from '../../setup/outbox';
import { logInAdmin, type Person, registerPerson } from '../../setup/people';
import { messagesOf } from '../../setup/polling';
import { logInWith } from '../../setup/roles';

let flow: MailContext;
let ctx: TestContext;
let admin: Person;
let person: Person;
beforeEach(async () => {
  flow = await mailContext({ RETRY_DELAYS_MS: '10', RELAY_IDLE_MS: '5' });
  ctx = flow.ctx;
  admin = await logInAdmin(ctx);
  await relayOutbox(ctx, 0);
  await poll(() => true);
  person = await registerPerson(ctx);
});
afterEach(() => flow.close());

const idOf = async (type = 'user.created', subject = person.user.id) =>
  (
    await ctx.db
      .selectFrom('events')
      .select('id')
      .where('subject', '=', subject)
      .where('type', '=', type)
      .executeTakeFirstOrThrow()
  ).id;
const get = (id: string, token = admin.accessToken) => call(getEvent, ctx, { params: { id }, token });
// biome-ignore lint/suspicious/noExplicitAny: entries, whose fields the tests assert
const history = async (id: string): Promise<any[]> => (await get(id)).body.history;
const kinds = async (id: string) => (await history(id)).map(({ kind }) => kind);

/** Has the audit function fail with this reason, or handle everything, until the condition holds after a call. */
async function poll(isDone: () => boolean | Promise<boolean>, failure?: string): Promise<void> {
  const stop = new AbortController();
  const handlers = { audit: auditWith(() => ctx), deadLetters: deadLetters(() => ctx) };
  const invoke = async (name: string, payload: unknown) => {
    const batch = payload as RmqEvent;
    let answer: unknown = null;
    if (name.endsWith('dead-letters')) answer = await handlers.deadLetters(batch);
    else if (name.endsWith('-audit') && failure === undefined) answer = await handlers.audit(batch);
    else if (name.endsWith('-audit'))
      answer = {
        batchItemFailures: messagesOf(batch).map((message) => ({
          itemIdentifier: String(message.basicProperties.messageId),
          reason: failure,
        })),
      };
    if (await isDone()) stop.abort();
    return { kind: 'answered' as const, payload: answer };
  };
  await pollQueues({ ...ctx, invoke }, 60_000, stop.signal);
}

const isDead = async () =>
  (await ctx.db.selectFrom('dead_letters').select('id').executeTakeFirst()) !== undefined;

test('shows the event as it went out, where it came from, and the usual way', async () => {
  const id = await idOf();
  await flow.deliver();
  const { status, body } = await get(id);
  expect(status).toBe(200);
  const row = await ctx.db.selectFrom('events').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
  const { event, origin, traceId, history: entries, ...logged } = body;
  const { events } = (await call(listEvents, ctx, { query: { limit: '1' }, token: admin.accessToken })).body;
  expect(logged).toEqual(events[0]);
  expect(event).toMatchObject({ specversion: '1.0', id, type: 'user.created', data: row.data });
  expect(event.traceparent).toBe(row.traceparent);
  expect(traceId).toBe(row.traceparent?.split('-')[1]);
  expect(origin).toEqual({
    actorId: person.user.id,
    address: '192.0.2.1',
    userAgent: 'tests',
    requestId: row.request_id,
  });
  expect(entries).toEqual([
    { at: row.created_at.toISOString(), kind: 'committed' },
    { at: body.publishedAt, kind: 'published', attempt: 1 },
    { at: body.handledAt.emails, kind: 'handled', consumer: 'emails' },
    {
      at: expect.any(String),
      kind: 'mail_sent',
      consumer: 'emails',
      detail: { template: 'verify_email' },
    },
  ]);
  expect(body.consumers).toMatchObject({ emails: 'handled', audit: 'waiting' });
});

test('shows where it came from to those only who may read the audit log', async () => {
  const id = await idOf();
  const reader = await logInWith(ctx, admin, ['events:read']);
  const auditor = await logInWith(ctx, admin, ['events:read', 'audit:read']);
  const seen = await Promise.all([reader, auditor].map(async (one) => (await get(id, one.accessToken)).body));
  expect(seen.map(({ origin }) => origin?.address ?? null)).toEqual([null, '192.0.2.1']);
  expect(seen[0].history).toEqual(seen[1].history);
});

test('tells each failed attempt, the dead letter, that it was sent again, and the end', async () => {
  const id = await idOf();
  await poll(isDead, 'no luck');
  const failed = await history(id);
  expect(failed.slice(2)).toEqual([
    {
      at: expect.any(String),
      kind: 'failed',
      consumer: 'audit',
      attempt: 1,
      error: 'no luck',
      dueAt: expect.any(String),
    },
    { at: expect.any(String), kind: 'failed', consumer: 'audit', attempt: 2, error: 'no luck' },
    { at: expect.any(String), kind: 'dead', consumer: 'audit', attempt: 2, error: 'no luck' },
  ]);
  expect((await get(id)).body.consumers.audit).toBe('dead');

  const { deadLetters: letters } = (
    await call(listDeadLetters, ctx, { query: { eventId: id }, token: admin.accessToken })
  ).body;
  expect(letters).toMatchObject([{ eventId: id }]);
  const other = { query: { eventId: uuidv7() }, token: admin.accessToken };
  expect((await call(listDeadLetters, ctx, other)).body.deadLetters).toEqual([]);

  const params = { id: letters[0].id };
  await call(redriveDeadLetter, ctx, { method: 'POST', params, token: admin.accessToken });
  expect((await get(id)).body.consumers.audit).toBe('waiting');
  await relayOutbox(ctx, 0);
  const isHandled = async () => (await get(id)).body.consumers.audit === 'handled';
  await poll(isHandled);
  expect((await history(id)).slice(5)).toEqual([
    {
      at: expect.any(String),
      kind: 'redelivered',
      consumer: 'audit',
      attempt: 1,
      detail: { reason: 'redrive' },
    },
    { at: expect.any(String), kind: 'handled', consumer: 'audit' },
  ]);
});

test('tells once that it waits for an earlier event of its user', async () => {
  const update = { method: 'PUT', params: { id: 'me' }, body: { displayName: 'X' } };
  await call(updateUser, ctx, { ...update, token: person.accessToken });
  const [first, second] = [await idOf(), await idOf('user.updated')];
  await poll(isDead, 'no luck');
  expect(await kinds(first)).toEqual(['committed', 'published', 'failed', 'failed', 'dead']);
  const entries = (await history(second)).filter(({ kind }) => kind === 'waits');
  expect(entries).toEqual([
    { at: expect.any(String), kind: 'waits', consumer: 'audit', dueAt: expect.any(String) },
  ]);
});

test('names the replay that sent it again', async () => {
  const id = await idOf();
  const queue = queueOf(ctx.config.events, 'analytics');
  const body = { queue, subject: person.user.id };
  const replay = await call(replayEvents, ctx, { method: 'POST', body, token: admin.accessToken });
  await takeReplaySteps(ctx);
  await relayOutbox(ctx, 0);
  expect((await history(id)).at(-1)).toMatchObject({
    kind: 'redelivered',
    consumer: 'analytics',
    detail: { reason: 'replay', replayId: replay.body.id },
  });
});

test('tells each refusal of the broker, and a broken connection once for each error', async () => {
  const id = await idOf();
  await makeUnsent(ctx, person.user.id);
  const row = await ctx.db
    .selectFrom('dispatch')
    .select(['position', 'subject'])
    .where('event_id', '=', id)
    .executeTakeFirstOrThrow();
  const fail = (error: string, attempt: 0 | 1) =>
    putBack(ctx.db, [{ ...row, queue: null, error, delayMs: 1000, attempt }]);
  await fail('unroutable', 1);
  await fail('unroutable', 1);
  await fail('closed', 0);
  await fail('closed', 0);
  const entries = await history(id);
  expect(entries.slice(1)).toEqual(
    [
      { attempt: 1, error: 'unroutable' },
      { attempt: 2, error: 'unroutable' },
      { attempt: 3, error: 'closed' },
    ].map((entry) => ({
      at: expect.any(String),
      kind: 'publish_failed',
      dueAt: expect.any(String),
      ...entry,
    })),
  );
});

test('tells the attempts of webhooks, without the path of their URLs', async () => {
  const id = await idOf();
  const endpointId = uuidv7();
  await ctx.db
    .insertInto('webhook_endpoints')
    .values({
      id: endpointId,
      url: 'https://crm.example.com/hook/secret',
      event_types: ['*'],
      secret: Buffer.from('x'),
    })
    .execute();
  const at = new Date(Date.now() + 60_000).toISOString();
  const next = new Date(Date.now() + 120_000);
  const attempt = {
    attempt: 1,
    startedAt: at,
    durationMs: 5,
    responseStatus: 500,
    response: 'oops',
    error: 'status 500',
  };
  await ctx.db
    .insertInto('webhook_deliveries')
    .values({
      endpoint_id: endpointId,
      event_id: id,
      type: 'user.created',
      attempt_log: JSON.stringify([attempt]),
      next_attempt_at: next,
    })
    .execute();
  expect((await history(id)).at(-1)).toEqual({
    at,
    kind: 'webhook_attempt',
    consumer: 'webhooks',
    attempt: 1,
    error: 'status 500',
    dueAt: next.toISOString(),
    detail: { endpointId, host: 'crm.example.com', deliveryId: id, status: 500 },
  });
});

test('the user deleted, no error is left, and none comes after', async () => {
  const id = await idOf();
  const inRetry = async () =>
    (await ctx.db.selectFrom('event_history').select('id').executeTakeFirst()) !== undefined;
  await poll(inRetry, `failed for ${person.user.email}`);
  const params = { id: person.user.id };
  await call(deleteUser, ctx, { method: 'DELETE', params, token: person.accessToken });
  await poll(isDead, `failed again for ${person.user.email}`);
  expect(JSON.stringify(await history(id))).not.toContain(person.user.email);
  expect(await kinds(id)).toEqual(['committed', 'published', 'failed', 'failed', 'dead']);
  const rows = await ctx.db.selectFrom('event_history').selectAll().where('event_id', '=', id).execute();
  expect(rows.map(({ error }) => error)).toEqual([null, null, null]);
});

test('what no event has as its id is 404; others may not see any', async () => {
  for (const id of [uuidv7(), 'x']) expect((await get(id)).body.code).toBe('not_found');
  expect((await get(await idOf(), person.accessToken)).body.code).toBe('forbidden');
});
