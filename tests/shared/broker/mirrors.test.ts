// Consumers as other services had them, each with the exchange, queue and JSON that it was written for. None of them
// knows of Rollcall.
import { handler as deleteUser } from '../../../functions/users/delete-user';
import { handler as updateUser } from '../../../functions/users/update-user';
import { mirrorMessages } from '../../../shared/broker/mirrors';
import { FORMATS, type MirrorFormat, parseMirrors } from '../../../shared/config/mirrors';
import type { EventType, UserEvent } from '../../../shared/events/catalog';
import { relayOutbox } from '../../../shared/outbox/relay';
import { openClient, Received, uniqueNames } from '../../setup/broker';
import { type TestContext, testContext } from '../../setup/context';
import { call } from '../../setup/http';
import { countUnsent, fillOutbox, inversions, makeDue, outcomesOf } from '../../setup/outbox';
import { registerPerson } from '../../setup/people';

const TIME = '2026-11-20T16:37:15.123Z';

let names: { exchange: string; queue: string };
let client: Awaited<ReturnType<typeof openClient>>;
let ctx: TestContext | undefined;
beforeEach(async () => {
  const { QUEUE_PREFIX: name } = uniqueNames();
  names = { exchange: `${name}-exchange`, queue: `${name}-queue` };
  client = await openClient();
});
afterEach(async () => {
  await client.model.close();
  await ctx?.close();
  ctx = undefined;
});

async function contextWith(...mirrors: object[]): Promise<TestContext> {
  ctx = await testContext({ EVENT_MIRRORS: JSON.stringify(mirrors) });
  ctx.clock.now = new Date(TIME);
  return ctx;
}

/** The JSON of a message, read as any client would. */
const json = (messages: { content: Buffer }[]) =>
  messages.map(({ content }) => JSON.parse(content.toString()));
const storedOf = async ({ db }: TestContext, subject: string) =>
  db.selectFrom('events').selectAll().where('subject', '=', subject).orderBy('position').execute();

describe('a consumer that exists gets what it was written for', () => {
  test('UserCreated, straight into a queue', async () => {
    const ctx = await contextWith({ format: 'typed', exchange: '', queue: names.queue });
    await client.channel.assertQueue(names.queue, { durable: true });
    const received = await Received.from(client.channel, names.queue);
    const { user } = await registerPerson(ctx);
    const [message] = await received.atLeast(1);
    expect(json(received.messages)).toEqual([
      {
        event_type: 'UserCreated',
        user_id: user.id,
        username: user.username,
        email: user.email,
        timestamp: 1795192635.123,
      },
    ]);
    expect(message?.properties).toMatchObject({
      contentType: 'application/json',
      deliveryMode: 2,
      type: 'UserCreated',
    });
  });

  test('user.registered, by exchange, routing key and queue of one name', async () => {
    const name = names.exchange;
    const ctx = await contextWith({ format: 'envelope', exchange: name, routingKey: name, queue: name });
    // What such a consumer does at its start, which has to agree with what is declared here.
    await client.channel.assertExchange(name, 'topic', { durable: true });
    await client.channel.assertQueue(name, { durable: true });
    await client.channel.bindQueue(name, name, name);
    const received = await Received.from(client.channel, name);
    const { user } = await registerPerson(ctx);
    const [message] = await received.atLeast(1);
    expect(json(received.messages)).toEqual([
      {
        event: 'user.registered',
        data: { id: user.id, email: user.email, username: user.username, createdAt: TIME },
        timestamp: TIME,
      },
    ]);
    expect(message?.fields).toMatchObject({ exchange: name, routingKey: name });
  });

  test('the bare fields under user.created, on an exchange to which the consumer binds', async () => {
    const ctx = await contextWith({ format: 'flat', exchange: names.exchange });
    const received = await Received.bound(client.channel, names.exchange, 'user.created');
    const { user } = await registerPerson(ctx);
    const [message] = await received.atLeast(1);
    expect(json(received.messages)).toEqual([
      { user_id: user.id, username: user.username, email: user.email },
    ]);
    expect(message?.fields.routingKey).toBe('user.created');
    expect(message?.properties.deliveryMode).toBe(2);
  });

  test('created, updated and deleted on one topic exchange, in order, though the user is erased', async () => {
    const types = ['user.created', 'user.updated', 'user.deleted'];
    const ctx = await contextWith({ format: 'flat', exchange: names.exchange, types });
    const received = await Received.bound(client.channel, names.exchange, 'user.*');
    const { user, accessToken: token } = await registerPerson(ctx, {
      username: 'before',
      email: 'x@example.com',
    });
    await call(updateUser, ctx, {
      method: 'PUT',
      params: { id: 'me' },
      token,
      body: { username: 'after' },
    });
    await call(deleteUser, ctx, { method: 'DELETE', params: { id: 'me' }, token });
    await relayOutbox(ctx, 0);
    await received.atLeast(3);
    expect(received.messages.map(({ fields }) => fields.routingKey)).toEqual(types);
    expect(json(received.messages)).toEqual([
      { user_id: user.id, username: 'before', email: 'x@example.com' },
      { user_id: user.id, username: 'after', email: 'x@example.com' },
      { user_id: user.id },
    ]);
  });

  test('users without an address', async () => {
    ctx = await testContext({
      REQUIRE_EMAIL: 'false',
      EVENT_MIRRORS: JSON.stringify([{ format: 'flat', exchange: names.exchange }]),
    });
    const received = await Received.bound(client.channel, names.exchange);
    const { user } = await registerPerson(ctx, { email: undefined });
    await received.atLeast(1);
    expect(json(received.messages)).toEqual([{ user_id: user.id, username: user.username, email: null }]);
  });

  test('the event itself, elsewhere; several mirrors at once, a user and their events in order at each', async () => {
    const other = `${names.exchange}-fanout`;
    const ctx = await contextWith(
      { format: 'cloudevents', exchange: names.exchange },
      { format: 'cloudevents', exchange: other, exchangeType: 'fanout', queue: names.queue },
    );
    const own = await Received.bound(client.channel, ctx.config.events.exchange);
    const first = await Received.bound(client.channel, names.exchange);
    const second = await Received.from(client.channel, names.queue);
    await fillOutbox(ctx, 40, 3);
    await relayOutbox(ctx, 0);
    await Promise.all([own, first, second].map((received) => received.atLeast(160)));
    expect(await countUnsent(ctx)).toBe(0);
    const sorted = (received: Received) =>
      received
        .bodies()
        .map((body) => JSON.stringify(body))
        .sort();
    for (const received of [first, second]) {
      expect(sorted(received)).toEqual(sorted(own));
      expect(inversions(received.bodies())).toEqual([]);
      expect(received.messages[0]?.properties.contentType).toBe('application/cloudevents+json');
    }
  });
});

test('carries the id and the trace of the event, so that a repetition can be told', async () => {
  const ctx = await contextWith({ format: 'flat', exchange: names.exchange });
  const received = await Received.bound(client.channel, names.exchange);
  const { user } = await registerPerson(ctx);
  const [message] = await received.atLeast(1);
  const [row] = await storedOf(ctx, user.id);
  expect(message?.properties).toMatchObject({
    messageId: row?.id,
    appId: 'rollcall',
    headers: { traceparent: row?.traceparent },
    timestamp: Math.floor(Date.parse(TIME) / 1000),
  });
});

describe('an event counts as published when all of its copies are', () => {
  test('a copy that no queue takes leaves it to the relay, which declares what is missing', async () => {
    const ctx = await contextWith({ format: 'flat', exchange: names.exchange, queue: names.queue });
    await client.channel.deleteQueue(names.queue);
    const { user } = await registerPerson(ctx);
    expect(await outcomesOf(ctx, user.id)).toMatchObject([{ published_at: null }]);
    expect(ctx.logged).toContainEqual(
      expect.objectContaining({
        kind: 'refused',
        reason: `EVENT_MIRRORS, exchange '${names.exchange}': the broker returned it: NO_ROUTE`,
      }),
    );
    await makeDue(ctx);
    expect(await relayOutbox(ctx, 0)).toEqual({ published: 1, refused: 0 });
    expect(await client.channel.checkQueue(names.queue)).toMatchObject({ messageCount: 1 });
  });

  test('a copy that is refused is repeated by the relay, for its own user only', async () => {
    const ctx = await contextWith({ format: 'flat', exchange: names.exchange });
    const full = { arguments: { 'x-max-length': 0, 'x-overflow': 'reject-publish' } };
    await client.channel.assertQueue(names.queue, full);
    await client.channel.bindQueue(names.queue, names.exchange, 'user.created');
    const own = await Received.bound(client.channel, ctx.config.events.exchange, 'user.created');
    const [subject = ''] = await fillOutbox(ctx, 1, 1);

    expect(await relayOutbox(ctx, 0)).toEqual({ published: 0, refused: 1 });
    const [created, verified] = await outcomesOf(ctx, subject);
    expect(created).toMatchObject({ published_at: null, attempts: 1 });
    expect(created?.last_error).toContain(
      `EVENT_MIRRORS, exchange '${names.exchange}': the broker refused it`,
    );
    expect(verified).toMatchObject({ published_at: null, attempts: 0 });
    // Rollcall's own consumers have it, and drop what they get again.
    await own.atLeast(1);

    await client.channel.deleteQueue(names.queue);
    const received = await Received.bound(client.channel, names.exchange);
    await makeDue(ctx);
    expect(await relayOutbox(ctx, 0)).toEqual({ published: 2, refused: 0 });
    expect(json(await received.atLeast(1))).toEqual([{ user_id: subject, username: 'user', email: null }]);
    await own.atLeast(2);
    expect(new Set(own.messages.map(({ properties }) => properties.messageId))).toEqual(
      new Set([(await storedOf(ctx, subject))[0]?.id]),
    );
  });

  test('an exchange that nobody reads yet holds up nothing', async () => {
    const ctx = await contextWith({ format: 'flat', exchange: names.exchange });
    const { user } = await registerPerson(ctx);
    expect(await outcomesOf(ctx, user.id)).toMatchObject([{ published_at: expect.any(Date) }]);
  });

  test('an exchange that is gone is declared again, and nothing is lost', async () => {
    const ctx = await contextWith({ format: 'flat', exchange: names.exchange, queue: names.queue });
    await client.channel.deleteExchange(names.exchange);
    const { user } = await registerPerson(ctx);
    expect(await outcomesOf(ctx, user.id)).toMatchObject([{ published_at: null }]);
    await makeDue(ctx);
    expect(await relayOutbox(ctx, 0)).toEqual({ published: 1, refused: 0 });
    expect(await client.channel.checkQueue(names.queue)).toMatchObject({ messageCount: 1 });
  });
});

describe('no copy carries more than its format', () => {
  const data = { id: 'the id', username: 'gorden', email: 'g@example.com', role: 'user', createdAt: TIME };
  const changes = { metadata: { from: { iban: 'secret' }, to: {} } };
  const FIELDS: Record<Exclude<MirrorFormat, 'cloudevents'>, Partial<Record<EventType, string[]>>> = {
    typed: {
      'user.created': ['event_type', 'user_id', 'username', 'email', 'timestamp'],
      'user.updated': ['event_type', 'user_id', 'username', 'email', 'timestamp'],
      'user.deleted': ['event_type', 'user_id', 'timestamp'],
    },
    envelope: {
      'user.created': ['event', 'data', 'id', 'email', 'username', 'createdAt', 'timestamp'],
      'user.updated': ['event', 'data', 'id', 'email', 'username', 'timestamp'],
      'user.deleted': ['event', 'data', 'id', 'timestamp'],
    },
    flat: {
      'user.created': ['user_id', 'username', 'email'],
      'user.updated': ['user_id', 'username', 'email'],
      'user.deleted': ['user_id'],
    },
  };
  const cases = (['typed', 'envelope', 'flat'] as const).flatMap((format) =>
    FORMATS[format].types.map((type) => [format, type] as const),
  );

  test.each(cases)('%s of %s', (format, type) => {
    const event = {
      ...{ specversion: '1.0', id: 'event', source: 'rollcall', datacontenttype: 'application/json' },
      ...{ type, subject: 'the id', sequence: '0000000001', time: TIME },
      // What an event should never hold, and what one type may gain one day.
      data: { ...data, changes, passwordHash: 'secret', token: 'secret' },
    } as unknown as UserEvent;
    const mirrors = parseMirrors(JSON.stringify([{ format, exchange: 'x', types: [type] }]));
    const [message, ...others] = mirrorMessages(mirrors, event);
    const fields: string[] = [];
    JSON.parse(message?.body.toString() ?? '', (key, value) => {
      if (key) fields.push(key);
      return value;
    });
    expect(fields.sort()).toEqual([...(FIELDS[format][type] ?? [])].sort());
    expect(message?.body.toString()).not.toContain('secret');
    expect(others).toEqual([]);
  });
});
