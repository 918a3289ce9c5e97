// From the queue where a handler failed for good, through the table, and back.
import { uuidv7 } from 'uuidv7';
import { deadLetters } from '../../../functions/consumers/dead-letters';
import { handler as deleteDeadLetter } from '../../../functions/events/delete-dead-letter';
import { handler as editDeadLetter } from '../../../functions/events/edit-dead-letter';
import { handler as getDeadLetter } from '../../../functions/events/get-dead-letter';
import { handler as listDeadLetters } from '../../../functions/events/list-dead-letters';
import { handler as redriveDeadLetter } from '../../../functions/events/redrive-dead-letter';
import { handler as redriveDeadLetters } from '../../../functions/events/redrive-dead-letters';
import { handler as deleteUser } from '../../../functions/users/delete-user';
import { queueOf } from '../../../shared/broker/topology';
import type { RmqEvent } from '../../../shared/lambda/rmq-event';
import { relayOutbox } from '../../../shared/outbox/relay';
import { pollQueues } from '../../../shared/poller/poll-queues';
import { openClient, Received } from '../../setup/broker';
import { type TestContext, testContext } from '../../setup/context';
import { call } from '../../setup/http';
import { logInAdmin, type Person, registerPerson } from '../../setup/people';

let ctx: TestContext;
let admin: Person;
let person: Person;
let client: Awaited<ReturnType<typeof openClient>>;
let audit: string;
beforeEach(async () => {
  ctx = await testContext({ RETRY_DELAYS_MS: '10', RELAY_IDLE_MS: '5' });
  audit = queueOf(ctx.config.events, 'audit');
  client = await openClient();
  admin = await logInAdmin(ctx);
  await relayOutbox(ctx, 0);
  await client.channel.purgeQueue(audit);
  person = await registerPerson(ctx);
});
afterEach(async () => {
  await client.model.close();
  await ctx.close();
});

/** Runs the poller until so many dead letters are stored; the audit function fails with this reason. */
async function failEverything(count: number, reason = 'no luck'): Promise<void> {
  const stop = new AbortController();
  const store = deadLetters(() => ctx);
  let stored = 0;
  await pollQueues(
    {
      ...ctx,
      invoke: async (name, payload) => {
        const batch = payload as RmqEvent;
        const messages = Object.values(batch.rmqMessagesByQueue).flat();
        if (name.endsWith('dead-letters')) {
          const answer = await store(batch);
          stored += messages.length;
          if (stored >= count) stop.abort();
          return { kind: 'answered', payload: answer };
        }
        if (!name.endsWith('-audit')) return { kind: 'answered', payload: null };
        const batchItemFailures = messages.map((message) => ({
          itemIdentifier: String(message.basicProperties.messageId),
          reason,
        }));
        return { kind: 'answered', payload: { batchItemFailures } };
      },
    },
    60_000,
    stop.signal,
  );
}

const as = (token: string) => ({ token });
const list = async (query: Record<string, string> = {}) =>
  (await call(listDeadLetters, ctx, { query, token: admin.accessToken })).body;
const redrive = (id: string) =>
  call(redriveDeadLetter, ctx, { method: 'POST', params: { id }, token: admin.accessToken });
const inQueue = async () => (await client.channel.checkQueue(audit)).messageCount;

test('lists what failed for good; redriven, it is in its queue again with all attempts before it', async () => {
  await failEverything(1);
  const { deadLetters: letters, nextCursor } = await list();
  expect([letters, nextCursor]).toEqual([
    [
      {
        id: expect.any(String),
        queue: audit,
        messageId: letters[0].event.id,
        eventId: letters[0].event.id,
        event: expect.objectContaining({ type: 'user.created', subject: person.user.id }),
        body: null,
        error: 'no luck',
        attempts: 2,
        failedAt: expect.any(String),
      },
    ],
    null,
  ]);
  const get = () => call(getDeadLetter, ctx, { params: { id: letters[0].id }, token: admin.accessToken });
  expect((await get()).body).toEqual(letters[0]);
  const received = await Received.from(client.channel, audit);
  const redriven = await redrive(letters[0].id);
  expect([redriven.status, redriven.body]).toEqual([202, { redriven: 1, eventId: letters[0].event.id }]);
  expect((await get()).status).toBe(404);
  await relayOutbox(ctx, 0);
  const [message] = await received.atLeast(1);
  expect(message?.properties).toMatchObject({ messageId: letters[0].event.id, type: 'user.created' });
  expect(message?.properties.headers).not.toHaveProperty('rollcall-attempt');
  expect(JSON.parse(message?.content.toString() ?? '')).toEqual(letters[0].event);
  expect((await list()).deadLetters).toEqual([]);
  expect((await redrive(letters[0].id)).status).toBe(404);
});

test('pages, and filters by queue', async () => {
  await registerPerson(ctx);
  await registerPerson(ctx);
  await failEverything(3);
  const first = await list({ limit: '2' });
  const second = await list({ limit: '2', cursor: first.nextCursor });
  const subjects = [...first.deadLetters, ...second.deadLetters].map(({ event }) => event.subject);
  expect([new Set(subjects).size, second.nextCursor]).toEqual([3, null]);
  expect((await list({ queue: 'another' })).deadLetters).toEqual([]);
});

test('all of a queue are redriven at once, in their order; what holds no event stays', async () => {
  await registerPerson(ctx);
  await failEverything(2);
  const id = uuidv7();
  const none = { id, fingerprint: Buffer.from(id), queue: audit, error: 'x', attempts: 1 };
  await ctx.db
    .insertInto('dead_letters')
    .values({ ...none, body: Buffer.from('?') })
    .execute();
  const body = { queue: audit };
  const reply = await call(redriveDeadLetters, ctx, { method: 'POST', body, token: admin.accessToken });
  expect([reply.status, reply.body]).toEqual([202, { redriven: 2 }]);
  await relayOutbox(ctx, 0);
  expect(await inQueue()).toBe(2);
  expect((await list()).deadLetters).toMatchObject([{ id, event: null, body: '?' }]);
  expect((await redrive(id)).body.code).toBe('not_redrivable');
});

test.each(['alone', 'with its queue'])('what an older version did not know is redriven %s', async (how) => {
  await failEverything(1);
  const [{ id, event }] = (await list()).deadLetters;
  await ctx.db
    .updateTable('dead_letters')
    .set({ event: null, subject: null, body: Buffer.from(JSON.stringify(event)) })
    .execute();
  const body = { queue: audit };
  if (how === 'alone') expect((await redrive(id)).status).toBe(202);
  else await call(redriveDeadLetters, ctx, { method: 'POST', body, token: admin.accessToken });
  const received = await Received.from(client.channel, audit);
  await relayOutbox(ctx, 0);
  const [message] = await received.atLeast(1);
  expect(JSON.parse(message?.content.toString() ?? '')).toEqual(event);
});

test('edited, it is redriven as it is then', async () => {
  await failEverything(1);
  const [{ id, event }] = (await list()).deadLetters;
  const put = (body: unknown) =>
    call(editDeadLetter, ctx, { method: 'PUT', params: { id }, body, token: admin.accessToken });
  const changed = { ...event, data: { ...event.data, username: 'someone_else' } };
  expect((await put({ event: changed })).body.event).toEqual(changed);
  for (const wrong of [
    {},
    { ...event, data: {} },
    { ...event, id: uuidv7() },
    { ...event, subject: uuidv7() },
  ])
    expect((await put({ event: wrong })).body.code).toBe('invalid_request');
  const received = await Received.from(client.channel, audit);
  await redrive(id);
  await relayOutbox(ctx, 0);
  const [message] = await received.atLeast(1);
  expect(JSON.parse(message?.content.toString() ?? '').data.username).toBe('someone_else');
});

test('deleted, it is gone, and its event is still in the log', async () => {
  await failEverything(1);
  const [{ id, event }] = (await list()).deadLetters;
  const remove = () =>
    call(deleteDeadLetter, ctx, { method: 'DELETE', params: { id }, token: admin.accessToken });
  expect([(await remove()).status, (await remove()).status]).toEqual([204, 404]);
  expect(
    await ctx.db.selectFrom('events').select('id').where('id', '=', event.id).executeTakeFirst(),
  ).toBeDefined();
});

test('the user deleted, no personal data is left in it, also where it is on its way already', async () => {
  await failEverything(1);
  const [{ id, event }] = (await list()).deadLetters;
  const other = { ...event, id: uuidv7() };
  await ctx.db
    .insertInto('dispatch')
    .values({ queue: audit, event_id: other.id, subject: event.subject, event: JSON.stringify(other) })
    .execute();
  await call(deleteUser, ctx, {
    method: 'DELETE',
    params: { id: person.user.id },
    token: person.accessToken,
  });
  const anonymous = { username: person.user.id.replaceAll('-', ''), email: null };
  expect((await list()).deadLetters).toMatchObject([{ id, event: { id: event.id, data: anonymous } }]);
  const rows = await ctx.db.selectFrom('dispatch').select('event').where('queue', '=', audit).execute();
  expect(rows).toMatchObject([{ event: { id: other.id, data: anonymous } }]);
});

test('a malformed or unknown id is 404', async () => {
  for (const id of ['x', uuidv7()]) expect((await redrive(id)).body.code).toBe('not_found');
});

test('who may not write events may read them at most', async () => {
  const reply = await call(redriveDeadLetters, ctx, {
    method: 'POST',
    body: { queue: audit },
    ...as(person.accessToken),
  });
  expect(reply.body.code).toBe('forbidden');
});
