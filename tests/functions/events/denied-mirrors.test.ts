// A mirror's exchange that may not be written, or is gone: the broker closes the channel over each copy.
import { claimEvents } from '../../../shared/outbox/dispatch-store';
import { createEventSender } from '../../../shared/outbox/send-event';
import { openClient, Received, uniqueNames } from '../../setup/broker';
import { type TestContext, testContext } from '../../setup/context';
import { fillOutbox } from '../../setup/outbox';

let client: Awaited<ReturnType<typeof openClient>>;
let ctx: TestContext;
let mirror: string;
beforeEach(async () => {
  client = await openClient();
  mirror = uniqueNames().QUEUE_PREFIX;
  const mirrors = JSON.stringify([{ format: 'typed', exchange: mirror }]);
  ctx = await testContext({ EVENT_MIRRORS: mirrors, RELAY_IDLE_MS: '1' });
});
afterEach(async () => {
  await client.model.close();
  await ctx.close();
});

test('is refused and not taken for a broken connection, and left alone for a minute', async () => {
  const received = await Received.bound(client.channel, ctx.config.events.exchange);
  await fillOutbox(ctx, 2, 1);
  const events = (await claimEvents(ctx.db, 10)).events.map(({ event }) => event);
  const [created, other] = events.filter(({ type }) => type === 'user.created');
  const verified = events.find(({ type }) => type === 'user.email_verified');
  if (!created || !other || !verified) throw new Error('The log lacks events');
  await client.channel.deleteExchange(mirror);
  let now = 0;
  const sendEvent = createEventSender(ctx.config.events, () => now);
  const connect = () => ctx.broker.open(5_000);

  const refusal = { kind: 'refused', reason: expect.stringContaining(`EVENT_MIRRORS, exchange '${mirror}'`) };
  expect(await sendEvent(await connect(), created)).toEqual(refusal);
  // Refused before anything is sent; what has no copy there goes out.
  expect(await sendEvent(await connect(), other)).toEqual(refusal);
  expect(await sendEvent(await connect(), verified)).toEqual({ kind: 'confirmed' });
  await received.atLeast(2);
  expect(received.messages.map(({ properties }) => properties.messageId)).toEqual([created.id, verified.id]);

  await client.channel.assertExchange(mirror, 'topic');
  now = 59_999;
  expect(await sendEvent(await connect(), created)).toEqual(refusal);
  now = 60_000;
  expect(await sendEvent(await connect(), created)).toEqual({ kind: 'confirmed' });
});
