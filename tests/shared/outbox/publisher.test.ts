// What a registration costs, and what becomes of its event, while the broker fails in one way or another.
import { handler as register } from '../../../functions/auth/register';
import { CONSUMER_NAMES, queueOf } from '../../../shared/broker/topology';
import { confirmSent } from '../../../shared/outbox/dispatch-store';
import { appendEvent } from '../../../shared/outbox/event-store';
import { createPublisher, publishInBackground } from '../../../shared/outbox/publisher';
import { relayOutbox } from '../../../shared/outbox/relay';
import { createUser } from '../../../shared/users/create-user';
import { sequenceOf } from '../../../shared/users/sequence';
import { brokerUrl, deleteTopology, openClient, Received } from '../../setup/broker';
import { type TestContext, testContext } from '../../setup/context';
import { call } from '../../setup/http';
import { makeDue, outcomesOf } from '../../setup/outbox';
import { registration } from '../../setup/people';
import { startProxy, type TcpProxy } from '../../setup/proxy';
import { eventually } from '../../setup/service';

/** Longer than a broker that answers takes on a busy machine. */
const DEADLINE_MS = 30_000;
/** Where the broker never answers, so that nobody waits for longer than needs be. */
const SHORT_DEADLINE_MS = 200;

const ORIGIN = { actorId: null, address: null, userAgent: null, requestId: null, traceparent: null };
const input = () => ({ ...registration(), displayName: null, metadata: {}, role: 'user' });

let proxy: TcpProxy;
let ctx: TestContext;
beforeEach(async () => {
  proxy = await startProxy(brokerUrl());
  ctx = await testContext({ RABBITMQ_URL: proxy.url });
});
afterEach(async () => {
  await ctx.close();
  await proxy.stop();
});

function impatient(): TestContext {
  const config = { ...ctx.config, events: { ...ctx.config.events, publishDeadlineMs: SHORT_DEADLINE_MS } };
  return { ...ctx, config, publisher: createPublisher({ ...ctx, config }) };
}

/** Registers somebody. @returns what has become of the event then */
async function registerOne(context = ctx) {
  const answer = await call(register, context, { method: 'POST', body: registration() });
  expect(answer.status).toBe(201);
  const [row] = await outcomesOf(ctx, answer.body.user.id);
  if (!row) throw new Error('There is no event');
  return { row };
}

test('a broker that is down costs nothing, and leaves the event to the relay', async () => {
  await proxy.stop();
  const { row } = await registerOne();
  expect(row).toMatchObject({ published_at: null, attempts: 0 });
});

test('a broker that does not answer costs the deadline once, and nothing while publishing is paused', async () => {
  proxy.blackHole();
  const hasty = impatient();
  expect((await registerOne(hasty)).row.published_at).toBeNull();
  const pauses = () => ctx.logged.filter((line) => JSON.stringify(line).includes('Publishing is paused'));
  expect(pauses()).toHaveLength(1);

  // Nothing is tried in the pause: a proxy that counted would see no new connection, and neither does the log.
  const { row } = await registerOne(hasty);
  expect(row.published_at).toBeNull();
  expect(pauses()).toHaveLength(1);
});

test('after the pause it publishes again, on a new connection', async () => {
  proxy.blackHole();
  const hasty = impatient();
  await registerOne(hasty);
  proxy.heal();
  const afterAPause = () => {
    ctx.clock.now = new Date(ctx.clock.now.getTime() + ctx.config.events.publishPauseMs);
    return registerOne(hasty);
  };
  // On a busy machine the short deadline may pass once more, and the pause with it.
  await eventually(afterAPause, ({ row }) => row.published_at !== null);
});

test('an event whose confirm is lost is not taken for published', async () => {
  await registerOne();
  proxy.muteServer();
  const { row } = await registerOne(impatient());
  expect(row.published_at).toBeNull();
});

test('a connection that was cut while idle is replaced without anybody noticing', async () => {
  expect((await registerOne()).row.published_at).not.toBeNull();
  const connection = await ctx.broker.open(DEADLINE_MS);
  const closed = new Promise((resolve) => connection.model.once('close', resolve));
  proxy.heal();
  await closed;
  expect((await registerOne()).row.published_at).not.toBeNull();
});

test('an event that no queue takes is not taken for published', async () => {
  const { model, channel } = await openClient();
  await channel.deleteExchange(ctx.config.events.exchange);
  await channel.assertExchange(ctx.config.events.exchange, 'topic');
  const { row } = await registerOne();
  expect(row.published_at).toBeNull();
  expect(ctx.logged).toContainEqual(
    expect.objectContaining({ kind: 'refused', reason: 'the broker returned it: NO_ROUTE' }),
  );
  await model.close();
});

test('an event that a full queue refuses is not taken for published', async () => {
  const { model, channel } = await openClient();
  const queue = `${ctx.config.events.queuePrefix}.full`;
  await channel.assertQueue(queue, { arguments: { 'x-max-length': 0, 'x-overflow': 'reject-publish' } });
  await channel.bindQueue(queue, ctx.config.events.exchange, '#');
  const { row } = await registerOne();
  expect(row.published_at).toBeNull();
  await channel.deleteQueue(queue);
  await model.close();
});

test('a missing exchange is no reason to fail either', async () => {
  const { model, channel } = await openClient();
  await channel.deleteExchange(ctx.config.events.exchange);
  expect((await registerOne()).row.published_at).toBeNull();
  await model.close();
});

test('while only some queues are declared, nothing is published, and the relay reaches all of them', async () => {
  const { events } = ctx.config;
  await deleteTopology(events);
  const { model, channel } = await openClient();
  await channel.assertExchange(events.exchange, 'topic');
  await channel.assertQueue(queueOf(events, 'audit'), {
    arguments: { 'x-queue-type': 'classic', 'x-single-active-consumer': true },
  });
  await channel.bindQueue(queueOf(events, 'audit'), events.exchange, '#');

  const connection = await ctx.broker.open(DEADLINE_MS);
  const { row } = await registerOne();
  expect(row).toMatchObject({ published_at: null, attempts: 0 });
  expect(ctx.logged).toContainEqual(
    expect.objectContaining({ level: 'info', message: expect.stringContaining('not declared yet') }),
  );
  // It may be what the relay of this process is declaring by.
  expect(connection.closed).toBeNull();
  await makeDue(ctx);
  await relayOutbox(ctx, 0);
  for (const consumer of CONSUMER_NAMES) {
    const received = await Received.from(channel, queueOf(events, consumer));
    expect((await received.atLeast(1)).length).toBe(1);
  }
  expect((await registerOne()).row.published_at).not.toBeNull();
  await model.close();
});

test('what waits behind an older event of the same user is left to the relay', async () => {
  const { model, channel } = await openClient();
  const received = await Received.bound(channel, ctx.config.events.exchange);

  const first = await ctx.db.transaction().execute((tx) => createUser(tx, ctx, 'inline', input(), ORIGIN));
  const { user } = first;
  const second = await ctx.db.transaction().execute((tx) =>
    appendEvent(tx, ctx, 'inline', {
      type: 'user.email_verified',
      subject: user.id,
      sequence: sequenceOf(2),
      data: { id: user.id },
      origin: ORIGIN,
    }),
  );
  expect([first.event.after, second.after]).toEqual([null, first.event.position]);
  await ctx.publisher.publish([second]);
  await ctx.publisher.publish([first.event]);
  await received.atLeast(1);
  expect(received.bodies().map((event) => event['type'])).toEqual(['user.created']);
  await model.close();
});

test('what follows an event of the same user that is under way here goes out after it, without the relay', async () => {
  const { model, channel } = await openClient();
  const received = await Received.bound(channel, ctx.config.events.exchange);

  const first = await ctx.db.transaction().execute((tx) => createUser(tx, ctx, 'inline', input(), ORIGIN));
  const { id } = first.user;
  const verified = (version: number) =>
    ctx.db.transaction().execute((tx) => {
      const event = { type: 'user.email_verified', subject: id, data: { id }, origin: ORIGIN } as const;
      return appendEvent(tx, ctx, 'inline', { ...event, sequence: sequenceOf(version) });
    });
  const [second, third] = [await verified(2), await verified(3)];
  const publisher = publishInBackground(ctx.publisher);
  for (const event of [first.event, second, third]) await publisher.publish([event]);
  await publisher.settled();
  await received.atLeast(3);
  expect(received.bodies().map((event) => event['sequence'])).toEqual([1, 2, 3].map(sequenceOf));
  expect((await outcomesOf(ctx, id)).every((row) => row.published_at !== null)).toBe(true);
  await model.close();
});

test('in the background, a broker that does not answer is waited for after the caller has gone on', async () => {
  proxy.blackHole();
  const publisher = publishInBackground(ctx.publisher);
  const pauses = () => ctx.logged.filter((line) => JSON.stringify(line).includes('Publishing is paused'));
  // Long before the deadline.
  const { row } = await registerOne({ ...ctx, publisher });
  expect([row.published_at, pauses()]).toEqual([null, []]);
  await proxy.stop();
  await publisher.settled();
  expect(pauses()).toHaveLength(1);
});

test('nothing overtakes an event of its user that is left to the relay, although the relay has sent the older one meanwhile', async () => {
  const { model, channel } = await openClient();
  const received = await Received.bound(channel, ctx.config.events.exchange);

  const first = await ctx.db.transaction().execute((tx) => createUser(tx, ctx, 'relay', input(), ORIGIN));
  const { id } = first.user;
  const pending = await ctx.db.transaction().execute(async (tx) => {
    const event = { type: 'user.email_verified', subject: id, data: { id }, origin: ORIGIN } as const;
    const second = await appendEvent(tx, ctx, 'inline', { ...event, sequence: sequenceOf(2) });
    await confirmSent(ctx.db, [first.event.position]);
    return [second, await appendEvent(tx, ctx, 'inline', { ...event, sequence: sequenceOf(3) })];
  });
  await ctx.publisher.publish(pending);
  await makeDue(ctx);
  await relayOutbox(ctx, 0);
  await received.atLeast(2);
  expect(received.bodies().map((event) => event['sequence'])).toEqual([sequenceOf(2), sequenceOf(3)]);
  await model.close();
});
