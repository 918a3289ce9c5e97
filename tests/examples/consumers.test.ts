// The examples for services in other languages, each as a process of its own: the same scenarios for all.
import { createHash } from 'node:crypto';
import type { ChannelModel, ConfirmChannel } from 'amqplib';
import { uuidv7 } from 'uuidv7';
import { receipts as receiptsConsumer } from '../../functions/consumers/receipts';
import { handler as getExportData } from '../../functions/erasures/get-export-data';
import { handler as deleteUser } from '../../functions/users/delete-user';
import { handler as updateUser } from '../../functions/users/update-user';
import { queueOf } from '../../shared/broker/topology';
import type { UserEvent } from '../../shared/events/catalog';
import { relayOutbox } from '../../shared/outbox/relay';
import { brokerUrl, openClient, Received } from '../setup/broker';
import { type TestContext, testContext } from '../setup/context';
import { caseOf, erase, holder, messages, requestOwnExport } from '../setup/erasures';
import { call } from '../setup/http';
import { logInAdmin, PASSWORD, type Person, registerPerson } from '../setup/people';
import { startProxy, type TcpProxy } from '../setup/proxy';
import { eventually } from '../setup/service';
import { ConsumerProcess } from './consumer-process';
import { LANGUAGES, removeBuilt } from './languages';

// .ci/run installs the packages and sets this: there, all of them have to run.
const ALL_REQUIRED = process.env['REQUIRE_EXAMPLES'] === 'true';

const TIME = '2026-11-20T10:00:00.000Z';

type AnyEvent = { id: string; type: string; subject: string; sequence: string; data: object };

afterAll(removeBuilt);

for (const { name, launch } of LANGUAGES) {
  if ('command' in launch) describe(`in ${name}`, () => scenarios(launch.command));
  else if (ALL_REQUIRED) test(`in ${name}`, () => Promise.reject(new Error(launch.unavailable)));
  else describe.skip(`in ${name}, because ${launch.unavailable}`, () => scenarios([]));
}

function scenarios(command: string[]): void {
  let ctx: TestContext;
  let proxy: TcpProxy;
  let model: ChannelModel;
  let channel: ConfirmChannel;
  let published: Received;
  let receipts: Received;
  let consumer: ConsumerProcess;
  let queue: string;

  beforeAll(async () => {
    ctx = await testContext();
    ({ model, channel } = await openClient());
    published = await Received.bound(channel, ctx.config.events.exchange);
  });
  afterAll(async () => {
    await model.close();
    await ctx.close();
  });

  beforeEach(async () => {
    proxy = await startProxy(brokerUrl());
    queue = `${ctx.config.events.queuePrefix}.${uuidv7()}`;
    await channel.assertQueue(`${queue}.receipts`);
    receipts = await Received.from(channel, `${queue}.receipts`);
    consumer = await ConsumerProcess.create(command, {
      AMQP_URL: proxy.url,
      EXCHANGE: ctx.config.events.exchange,
      QUEUE: queue,
      RECEIPTS_QUEUE: `${queue}.receipts`,
    });
    await consumer.start();
  });
  afterEach(async () => {
    await consumer.remove();
    await proxy.stop();
    for (const name of [queue, `${queue}.dead_letters`, `${queue}.receipts`]) await channel.deleteQueue(name);
  });

  /** Sends what the inline publish may have left to the relay. */
  const relay = () => relayOutbox(ctx, 0);

  async function register(): Promise<Person & { event: AnyEvent }> {
    const person = await registerPerson(ctx);
    await relay();
    return { ...person, event: await eventOf(person.user.id, 'user.created') };
  }

  async function eventOf(subject: string, type: UserEvent['type']): Promise<AnyEvent> {
    for (;;) {
      const found = (published.bodies() as AnyEvent[]).find(
        (event) => event.subject === subject && event.type === type,
      );
      if (found) return found;
      await published.atLeast(published.messages.length + 1);
    }
  }

  /** As the relay does, for what Rollcall sends under faults alone. */
  async function publish(event: AnyEvent): Promise<void> {
    channel.publish(ctx.config.events.exchange, event.type, Buffer.from(JSON.stringify(event)));
    await channel.waitForConfirms();
  }

  /** A later event of the same user. */
  const later = (event: AnyEvent, type: string, version: string, data: object = {}): AnyEvent => ({
    ...event,
    id: uuidv7(),
    type,
    sequence: version.padStart(10, '0'),
    data: { ...event.data, ...data },
  });

  const row = ({ id, username, email }: Person['user']) => [id, username, email];

  test('keeps the users: registered, changed, deleted', async () => {
    const { user, accessToken } = await register();
    await consumer.logs('handled user.created');
    expect(consumer.users()).toEqual([row(user)]);

    const username = `${user.username}_2`;
    const params = { id: user.id };
    const body = { username, currentPassword: PASSWORD };
    const updated = await call(updateUser, ctx, { method: 'PUT', params, token: accessToken, body });
    expect(updated.status).toBe(200);
    await relay();
    await consumer.logs('handled user.updated');
    expect(consumer.users()).toEqual([row({ ...user, username })]);

    await call(deleteUser, ctx, { method: 'DELETE', params, token: accessToken });
    await relay();
    await consumer.logs('handled user.deleted');
    expect(consumer.users()).toEqual([]);
  });

  test('an event that is delivered twice takes effect once', async () => {
    const { user, event } = await register();
    await consumer.logs('handled user.created');
    const inbox = consumer.query('select * from inbox');
    await publish(event);
    await consumer.logs('repeated user.created');
    expect(consumer.query('select * from inbox')).toEqual(inbox);
    expect(consumer.users()).toEqual([row(user)]);
  });

  test('a late event does not overwrite what is newer, nor bring a deleted user back', async () => {
    const { user, event } = await register();
    await publish(later(event, 'user.updated', '10', { username: 'tenth', changes: {} }));
    await consumer.logs('handled user.updated');
    // Between the versions: '0000000009.0000000002' is older than '0000000010', as text.
    for (const version of ['2', '9']) {
      await publish(later(event, 'user.updated', version, { username: 'late', changes: {} }));
    }
    await consumer.logs('outdated user.updated', 2);
    expect(consumer.users()).toEqual([row({ ...user, username: 'tenth' })]);

    await publish(later(event, 'user.deleted', '11'));
    await consumer.logs('handled user.deleted');
    await publish(later(event, 'user.created', '1'));
    await consumer.logs('outdated user.created');
    expect(consumer.users()).toEqual([]);
  });

  test('a minor sequence comes after its version and before the next', async () => {
    const { event } = await register();
    const update = (sequence: string, username: string) => ({
      ...later(event, 'user.updated', '2', { username, changes: {} }),
      sequence,
    });
    await publish(update('0000000002', 'major'));
    await publish(update('0000000002.0000000001', 'minor'));
    await publish(update('0000000002', 'late'));
    await consumer.logs('outdated user.updated');
    expect(consumer.query('select username from users')).toEqual([['minor']]);
    await publish(update('0000000003', 'next'));
    await consumer.logs('handled user.updated', 3);
    expect(consumer.query('select username from users')).toEqual([['next']]);
  });

  test('poison goes to its dead letters with a reason that quotes nothing, and others continue', async () => {
    const { event } = await register();
    await consumer.logs('handled user.created');
    const invalid = [
      'no JSON',
      '',
      'null',
      '[]',
      '"user.created"',
      '{"type":{}}',
      `${'['.repeat(100_000)}`,
      JSON.stringify({ ...event, type: 'user.promoted' }),
      JSON.stringify({ ...event, type: '../user.created' }),
      JSON.stringify({ ...event, sequence: 'a-secret' }),
      JSON.stringify({ ...event, subject: 'a-secret' }),
      JSON.stringify({ ...event, id: undefined }),
      JSON.stringify({ ...event, data: { ...event.data, username: ['a-secret'] } }),
      JSON.stringify({ ...event, data: { ...event.data, email: undefined } }),
    ];
    for (const text of invalid) channel.sendToQueue(queue, Buffer.from(text));
    await channel.waitForConfirms();
    const { user } = await register();
    await consumer.logs('handled user.created', 2);
    expect(consumer.query(`select id from users where id = '${user.id}'`)).toHaveLength(1);

    const dead = await Received.from(channel, `${queue}.dead_letters`);
    await dead.atLeast(invalid.length);
    expect(dead.messages.map(({ content }) => content.toString())).toEqual(invalid);
    const reasons = dead.messages.map(({ properties }) => properties.headers?.['reason']);
    for (const reason of reasons) {
      expect(reason).toMatch(/^(Not JSON|Unknown type|Against the schema of user\.created: .*\S)/);
      expect(reason).not.toContain('a-secret');
    }
    expect(consumer.lines.join()).not.toContain('a-secret');
  });

  test('text that is no Unicode holds up nobody', async () => {
    const { event } = await register();
    await publish(later(event, 'user.updated', '2', { username: '\ud800', changes: {} }));
    await register();
    await consumer.logs('handled user.created', 2);
  });

  test('ignores fields that it does not know', async () => {
    const { event } = await register();
    await publish({
      ...later(event, 'user.updated', '2', { changes: {}, since: 2027 }),
      tenant: 'x',
    } as AnyEvent);
    await consumer.logs('handled user.updated');
  });

  test('connects again after a cut, and misses nothing', async () => {
    const first = await register();
    await consumer.logs('handled user.created');
    const people: Person[] = [first];
    for (let round = 0; round < 3; round++) {
      await proxy.stop();
      for (let i = 0; i < 5; i++) people.push(await register());
      await consumer.logs('connecting again', round + 1);
      await proxy.start();
      await consumer.logs('consuming', round + 2);
    }
    await eventually(
      async () => consumer.users(),
      (users) => users.length === people.length,
    );
    const rows = people.map(({ user }) => row(user)).sort();
    expect(consumer.users()).toEqual(rows);
  });

  test('killed between its effect and the acknowledgement, it repeats no effect', async () => {
    const first = await register();
    await consumer.logs('handled user.created');
    proxy.muteClient();
    const second = await register();
    await eventually(
      async () => consumer.users(),
      (users) => users.length === 2,
    );
    await consumer.kill();
    const inbox = consumer.query('select * from inbox order by event_id');
    proxy.heal();
    await consumer.start();
    await consumer.logs(`repeated user.created ${second.event.id}`);
    expect(consumer.query('select * from inbox order by event_id')).toEqual(inbox);
    expect(consumer.users()).toEqual([row(first.user), row(second.user)]);
  });

  test('leaves an event in its queue while its database fails', async () => {
    await register();
    await consumer.logs('handled user.created');
    const db = consumer.lock();
    const { event } = await register();
    await consumer.logs('connecting again');
    db.close();
    await consumer.logs(`handled user.created ${event.id}`);
  });

  const answers = () => receipts.bodies();

  /** As the poller does. */
  async function handOverReceipts(): Promise<void> {
    const bodies = receipts.messages.map(({ content }) => content);
    await receiptsConsumer(() => ctx)(messages(queueOf(ctx.config.events, 'receipts'), ...bodies));
  }

  test('erases all that it holds of a user, and then says so', async () => {
    const caseId = uuidv7();
    const { user, event } = await register();
    const other = await register();
    await consumer.logs('handled user.created', 2);
    const poisonOf = ({ event }: { event: AnyEvent }) => ({ ...event, id: uuidv7(), sequence: 'x' });
    for (const person of [{ event }, other, { event }]) await publish(poisonOf(person));
    await consumer.logs('dead letter', 3);
    expect(consumer.leftovers([user.id, user.username])).toEqual([user.id, user.username]);

    await publish(later(event, 'user.deleted', '2'));
    await publish(later(event, 'user.erasure_requested', '3', { caseId }));
    await receipts.atLeast(1);
    expect(answers()).toEqual([{ caseId, holder: 'newsletter', outcome: 'erased' }]);
    expect(receipts.messages[0]?.properties).toMatchObject({
      deliveryMode: 2,
      contentType: 'application/json',
    });
    expect(consumer.leftovers([user.id, user.username, `${user.email}`])).toEqual([]);
    expect(consumer.users()).toEqual([row(other.user)]);
    const dead = await Received.from(channel, `${queue}.dead_letters`);
    await dead.atLeast(1);
    expect(dead.bodies().map(({ subject }) => subject)).toEqual([other.user.id]);

    await publish(later(event, 'user.created', '1'));
    await consumer.logs('outdated user.created');
    expect(consumer.leftovers([user.id, user.username, `${user.email}`])).toEqual([]);
  });

  test('closes the case of an erasure', async () => {
    const person = await register();
    const admin = await logInAdmin(ctx);
    await holder(ctx, admin, 'newsletter');
    const { id } = await erase(ctx, person);
    await relay();
    await receipts.atLeast(1);
    expect(consumer.leftovers([person.user.id, person.user.username])).toEqual([]);
    await handOverReceipts();
    expect(await caseOf(ctx, admin, id)).toMatchObject({
      completedAt: expect.any(String),
      receipts: [{ holder: 'newsletter', outcome: 'erased' }],
    });
  });

  test('erases many users without a trace of any', async () => {
    // With these, SQLite leaves a copy of an id and of a name between its rows, unless it rewrites the file.
    const people = Array.from({ length: 30 }, (_, index) => {
      const hash = createHash('sha256').update(`person4 ${index}`).digest('hex');
      const [, a, b, c, d, e] = /^(.{8})(.{4}).(.{3}).(.{3})(.{12})/.exec(hash) ?? [];
      const username = `erased-${index}-${hash.repeat(1 + (Number.parseInt(hash.slice(-1), 16) % 6))}`;
      return { id: `${a}-${b}-4${c}-8${d}-${e}`, username };
    });
    const inState = (type: string, version: string, { id, username }: { id: string; username: string }) => {
      const email = `${username}@example.com`;
      const data = { id, username, email, role: 'user', createdAt: TIME, changes: {}, caseId: id };
      const envelope = {
        specversion: '1.0',
        source: 'rollcall',
        time: TIME,
        datacontenttype: 'application/json',
      };
      return { ...envelope, id: uuidv7(), type, subject: id, sequence: version.padStart(10, '0'), data };
    };
    const erased = people.filter((_, index) => index % 3 === 0);
    for (const person of people) await publish(inState('user.created', '1', person));
    for (const { id, username } of people) {
      await publish(inState('user.updated', '2', { id, username: `${username}-y` }));
    }
    for (const person of erased) await publish(inState('user.erasure_requested', '3', person));
    await receipts.atLeast(erased.length);
    const traces = erased.flatMap(({ id, username }) => [id, username.slice(0, 80)]);
    expect(consumer.leftovers(traces)).toEqual([]);
    expect(consumer.users()).toHaveLength(people.length - erased.length);
  });

  test('killed between the erasure and its receipt, it still answers what it did', async () => {
    const caseId = uuidv7();
    const { event, user } = await register();
    await consumer.logs('handled user.created');
    proxy.muteClient();
    await publish(later(event, 'user.erasure_requested', '2', { caseId }));
    await eventually(
      async () => consumer.users(),
      (users) => users.length === 0,
    );
    await consumer.kill();
    expect(answers()).toEqual([]);
    proxy.heal();
    await consumer.start();
    await receipts.atLeast(1);
    expect(answers()).toEqual([{ caseId, holder: 'newsletter', outcome: 'erased' }]);
    expect(consumer.leftovers([user.id, user.username])).toEqual([]);
  });

  test('tries again while there is no queue for its receipts', async () => {
    const { event } = await register();
    await consumer.logs('handled user.created');
    await channel.deleteQueue(`${queue}.receipts`);
    await publish(later(event, 'user.erasure_requested', '2', { caseId: uuidv7() }));
    await consumer.logs('connecting again');
    await channel.assertQueue(`${queue}.receipts`);
    receipts = await Received.from(channel, `${queue}.receipts`);
    await receipts.atLeast(1);
    expect(answers()).toMatchObject([{ outcome: 'erased' }]);
  });

  test('answers that it held nothing of somebody whom it never knew', async () => {
    const { event } = await register();
    const stranger = { ...event, subject: uuidv7() };
    for (const type of ['user.erasure_requested', 'user.export_requested']) {
      await publish(later(stranger, type, '1', { caseId: uuidv7() }));
    }
    await receipts.atLeast(2);
    expect(answers()).toMatchObject([{ outcome: 'nothing_held' }, { outcome: 'nothing_held' }]);
  });

  test('adds what it holds of a user to their export', async () => {
    const person = await register();
    await holder(ctx, await logInAdmin(ctx), 'newsletter');
    const { id: caseId } = await requestOwnExport(ctx, person);
    await relay();
    await receipts.atLeast(1);
    const { id, username, email } = person.user;
    const data = { id, username, email };
    expect(answers()).toEqual([{ caseId, holder: 'newsletter', outcome: 'exported', data }]);
    await handOverReceipts();
    const request = { params: { id: caseId }, token: person.accessToken };
    const exported = await call(getExportData, ctx, request);
    expect([exported.status, exported.body.parts?.newsletter]).toEqual([200, data]);
  });
}
