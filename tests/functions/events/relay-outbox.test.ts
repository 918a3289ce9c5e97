import { claimEvents, confirmSent } from '../../../shared/outbox/dispatch-store';
import { appendEvent } from '../../../shared/outbox/event-store';
import { relayOutbox } from '../../../shared/outbox/relay';
import { brokerUrl, openClient, Received } from '../../setup/broker';
import { type TestContext, testContext } from '../../setup/context';
import { countUnsent, fillOutbox, inversions, makeDue, outcomesOf } from '../../setup/outbox';
import { startProxy, type TcpProxy } from '../../setup/proxy';

let proxy: TcpProxy;
let ctx: TestContext;
let client: Awaited<ReturnType<typeof openClient>>;
let received: Received;
beforeEach(async () => {
  proxy = await startProxy(brokerUrl());
  ctx = await testContext({ RABBITMQ_URL: proxy.url, RELAY_BATCH_SIZE: '50', RELAY_IDLE_MS: '5' });
  client = await openClient();
  received = await Received.bound(client.channel, ctx.config.events.exchange);
});
afterEach(async () => {
  await client.model.close();
  await ctx.close();
  await proxy.stop();
});

/** Runs relays until the outbox is empty. */
async function drain(relays = 1) {
  const done = new AbortController();
  const runs = Array.from({ length: relays }, () => relayOutbox(ctx, 60_000, done.signal));
  while ((await countUnsent(ctx)) > 0) await nextTurn();
  done.abort();
  return Promise.all(runs);
}
const claim = async (limit: number) => (await claimEvents(ctx.db, limit)).events;
/** Gives the relays a turn. */
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

test("sends a backlog of many batches, each event once and one user's in order", async () => {
  await fillOutbox(ctx, 120, 3);
  const [report] = await drain();
  await received.atLeast(480);
  expect(report).toEqual({ published: 480, refused: 0 });
  expect(received.messages).toHaveLength(480);
  expect(inversions(received.bodies())).toEqual([]);
  const rows = await outcomesOf(ctx);
  expect(new Set(rows.map((row) => `${row.attempts} ${row.last_error}`))).toEqual(new Set(['1 null']));
});

test('several at once share the work, and none overtakes the other within a user', async () => {
  await fillOutbox(ctx, 60, 6);
  const reports = await drain(3);
  await received.atLeast(420);
  expect(reports.reduce((sum, report) => sum + report.published, 0)).toBe(420);
  expect(received.messages).toHaveLength(420);
  expect(inversions(received.bodies())).toEqual([]);
});

test('what is appended while an older event of its user is claimed is due once that is sent', async () => {
  const [subject = ''] = await fillOutbox(ctx, 1);
  const [older] = await claim(1);
  const data = { id: subject };
  const origin = { actorId: null, address: null, userAgent: null, requestId: null, traceparent: null };
  const event = { type: 'user.email_verified', subject, sequence: '0000000002', data, origin } as const;
  const newer = await ctx.db.transaction().execute((tx) => appendEvent(tx, ctx, 'relay', event));
  expect(await claim(1)).toEqual([]);
  await confirmSent(ctx.db, [older?.position ?? '']);
  expect(await claim(1)).toMatchObject([{ event: { id: newer.event.id } }]);
});

test('declares what is missing, so that a new broker takes events at once', async () => {
  await client.channel.deleteExchange(ctx.config.events.exchange);
  await client.channel.deleteQueue(`${ctx.config.events.queuePrefix}.audit`);
  await fillOutbox(ctx, 1);
  await relayOutbox(ctx, 0);
  expect(await client.channel.checkQueue(`${ctx.config.events.queuePrefix}.audit`)).toMatchObject({
    messageCount: 1,
  });
});

test('an existing queue with other arguments is named, and the events go out all the same', async () => {
  const queue = `${ctx.config.events.queuePrefix}.audit`;
  await client.channel.deleteQueue(queue);
  await client.channel.assertQueue(queue, { arguments: { 'x-queue-type': 'classic' } });
  await fillOutbox(ctx, 1);
  await relayOutbox(ctx, 0);
  await received.atLeast(1);
  const [line] = ctx.logged.filter((entry) => entry['level'] === 'error');
  expect(line?.message).toContain(`queue ${queue} exists with other arguments`);
  expect(line?.['reason']).toContain('x-single-active-consumer');
  expect(line?.message).toContain('QUEUE_PREFIX');
});

test('an event that is refused waits longer each time, and holds up its own user only', async () => {
  // A queue of length 0 for one type refuses that type; the rest of the topology takes everything.
  const full = `${ctx.config.events.queuePrefix}.full`;
  await client.channel.assertQueue(full, {
    arguments: { 'x-max-length': 0, 'x-overflow': 'reject-publish' },
  });
  await client.channel.bindQueue(full, ctx.config.events.exchange, 'user.email_verified');
  await fillOutbox(ctx, 2, 2);

  expect(await relayOutbox(ctx, 0)).toEqual({ published: 2, refused: 2 });
  const waiting = () =>
    ctx.db
      .selectFrom('dispatch')
      .innerJoin('events', 'events.id', 'dispatch.event_id')
      .selectAll('dispatch')
      .select('events.sequence')
      .orderBy('dispatch.position')
      .execute();
  const [a, b, c, d] = await waiting();
  for (const row of [a, b]) {
    expect(row).toMatchObject({ sequence: '0000000002', attempts: 1 });
    expect(row?.last_error).toContain('basic.nack');
  }
  for (const row of [c, d])
    expect(row).toMatchObject({ sequence: '0000000003', attempts: 0, last_error: null });

  // Nothing of these users is due now, and somebody else's event goes out.
  const [other] = await fillOutbox(ctx, 1);
  expect(await relayOutbox(ctx, 0)).toEqual({ published: 1, refused: 0 });
  expect(received.bodies().at(-1)).toMatchObject({ subject: other });

  const firstDelay = Number(a?.due_at) - Number(a?.created_at);
  await makeDue(ctx);
  await relayOutbox(ctx, 0);
  const [again] = await waiting();
  expect(again?.attempts).toBe(2);
  expect(firstDelay).toBeGreaterThanOrEqual(450);

  await client.channel.deleteQueue(full);
  const drained = drain();
  while ((await countUnsent(ctx)) > 0) await makeDue(ctx);
  await drained;
  // One that was refused by one queue had reached the others: they see it again, and drop it by its id.
  const lastSeen = new Map(received.messages.map((message) => [message.properties.messageId, message]));
  expect(lastSeen.size).toBe(7);
});

test('a broker that goes away in the middle costs no event, and no attempt', async () => {
  await fillOutbox(ctx, 400);
  const done = new AbortController();
  const run = relayOutbox(ctx, 60_000, done.signal);
  await received.atLeast(1);
  await proxy.stop();
  await proxy.start();
  while ((await countUnsent(ctx)) > 0) await makeDue(ctx);
  done.abort();
  await run;
  const rows = await outcomesOf(ctx);
  expect(new Set(rows.map((row) => row.attempts))).toEqual(new Set([1]));
  const ids = new Set(received.messages.map((message) => message.properties.messageId));
  expect(ids.size).toBe(400);
});

test('what a relay had claimed when it died is sent by the next one after the lease', async () => {
  await fillOutbox(ctx, 3);
  expect(await claim(50)).toHaveLength(3);
  expect(await relayOutbox(ctx, 0)).toEqual({ published: 0, refused: 0 });
  await makeDue(ctx);
  expect(await relayOutbox(ctx, 0)).toEqual({ published: 3, refused: 0 });
});

test('claims no event whose user has an older unsent one elsewhere', async () => {
  await fillOutbox(ctx, 1, 4);
  const first = await claim(2);
  expect(first.map((item) => item.event.sequence)).toEqual(['0000000001', '0000000002']);
  expect(await claim(50)).toEqual([]);
});
