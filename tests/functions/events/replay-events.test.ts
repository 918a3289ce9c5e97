import { audit as auditWith } from '../../../functions/consumers/audit';
import { handler as replayEvents } from '../../../functions/events/replay-events';
import { queueOf } from '../../../shared/broker/topology';
import { parseEvent } from '../../../shared/events/catalog';
import { relayOutbox } from '../../../shared/outbox/relay';
import { openClient, Received } from '../../setup/broker';
import { consume } from '../../setup/consume';
import { type TestContext, testContext } from '../../setup/context';
import { call } from '../../setup/http';
import { countUnsent, fillOutbox, inversions, makeDue } from '../../setup/outbox';
import { logInAdmin, type Person } from '../../setup/people';

let ctx: TestContext;
let admin: Person;
let client: Awaited<ReturnType<typeof openClient>>;
let queue: string;
let users: string[];
beforeEach(async () => {
  ctx = await testContext({ RELAY_BATCH_SIZE: '10', RELAY_IDLE_MS: '5' });
  queue = queueOf(ctx.config.events, 'audit');
  client = await openClient();
  admin = await logInAdmin(ctx);
  users = await fillOutbox(ctx, 20, 2);
  while ((await countUnsent(ctx)) > 0) await relayOutbox(ctx, 0);
  await client.channel.purgeQueue(queue);
});
afterEach(async () => {
  await client.model.close();
  await ctx.close();
});

const replay = (body: Record<string, unknown>) =>
  call(replayEvents, ctx, { method: 'POST', body, token: admin.accessToken });
async function relayAll(): Promise<void> {
  let left: unknown;
  do {
    await relayOutbox(ctx, 0);
    left = await ctx.db.selectFrom('dispatch').select('position').executeTakeFirst();
  } while (left);
}

test('sends the events to that queue alone, each once and in order', async () => {
  const others = await Received.bound(client.channel, ctx.config.events.exchange);
  const received = await Received.from(client.channel, queue);
  const { status, body } = await replay({ queue, types: ['user.created', 'user.email_verified'] });
  // And those of the administrator who asks.
  expect([status, body]).toEqual([202, { replayed: 61 }]);
  await relayAll();
  await received.atLeast(61);
  expect(inversions(received.bodies())).toEqual([]);
  expect(new Set(received.messages.map((message) => message.properties.messageId)).size).toBe(61);
  expect(others.messages).toEqual([]);
});

test.each<[string, () => Record<string, unknown>, number]>([
  ['a user', () => ({ subject: users[0] }), 3],
  ['a type', () => ({ types: ['user.email_verified'] }), 40],
  ['a time before all', () => ({ to: '2020-01-01' }), 0],
  ['a time after all', () => ({ from: '2100-01-01' }), 0],
  ['a range of time', () => ({ from: '2020-01-01', to: '2100-01-01', subject: users[1] }), 3],
])('selects by %s', async (_name, filter, count) => {
  expect((await replay({ queue, ...filter() })).body).toEqual({ replayed: count });
});

test('what is still unsent is not sent twice', async () => {
  const [subject] = await fillOutbox(ctx, 1);
  expect((await replay({ queue, subject })).body).toEqual({ replayed: 0 });
});

test('changes nothing where the consumer has handled it all', async () => {
  const audit = auditWith(() => ctx);
  const received = await Received.from(client.channel, queue);
  const entries = () =>
    ctx.db
      .selectFrom('audit_log')
      .selectAll()
      // The replay's own.
      .where('type', '<>', 'events.replayed')
      .orderBy('event_id')
      .execute();
  const seen = [];
  for (let i = 1; i <= 2; i++) {
    await replay({ queue });
    await relayAll();
    await received.atLeast(i * 62);
    const events = received.messages.slice((i - 1) * 62).map(({ content }) => parseEvent(content));
    await consume(
      audit,
      events.filter((event) => event !== null),
    );
    seen.push(await entries());
  }
  expect(seen[0]).toHaveLength(62);
  expect(seen[1]).toEqual(seen[0]);
});

test('an unknown queue is refused with the names of those that there are', async () => {
  const { status, body } = await replay({ queue: 'rollcall.nobody' });
  expect([status, body.errors]).toEqual([
    422,
    [{ path: 'queue', message: expect.stringContaining(`must be one of ${queue}`) }],
  ]);
});

test('a queue that is gone: the events wait, and arrive when it is back', async () => {
  await replay({ queue, subject: users[0] });
  await relayOutbox(ctx, 0);
  await replay({ queue, subject: users[0] });
  // Declared again by the next relay's start, so gone only for what this one still sends.
  const { channel } = await ctx.broker.open(1_000);
  await channel.deleteQueue(queue);
  await relayOutbox(ctx, 0);
  await makeDue(ctx);
  await relayAll();
  expect((await client.channel.checkQueue(queue)).messageCount).toBe(3);
});
