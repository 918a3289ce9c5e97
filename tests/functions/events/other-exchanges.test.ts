// An exchange of ours exists already and is another one: events would be confirmed and reach nobody.
import { handler as health } from '../../../functions/ops/health';
import { deadExchangeOf, queueOf, retryExchangeOf } from '../../../shared/broker/topology';
import { relayOutbox } from '../../../shared/outbox/relay';
import { pollQueues } from '../../../shared/poller/poll-queues';
import { openClient, uniqueNames } from '../../setup/broker';
import { type TestContext, testContext } from '../../setup/context';
import { call } from '../../setup/http';
import { countUnsent, makeDue } from '../../setup/outbox';
import { registerPerson } from '../../setup/people';
import { eventually } from '../../setup/service';

type ExchangeOptions = Parameters<typeof client.channel.assertExchange>[2];

let client: Awaited<ReturnType<typeof openClient>>;
let ctx: TestContext;
beforeEach(async () => {
  client = await openClient();
});
afterEach(async () => {
  await client.model.close();
  await ctx.close();
});

/** Puts another exchange in the place of the one that is declared. */
async function replaceExchange(name: string, type: string, options: ExchangeOptions = {}): Promise<void> {
  await client.channel.deleteExchange(name);
  await client.channel.assertExchange(name, type, options);
}

const problems = () => ctx.logged.filter(({ level }) => level === 'error').map(({ message }) => message);

test.each<[string, string, ExchangeOptions]>([
  ['direct', 'direct', {}],
  ['fanout', 'fanout', {}],
  ['headers', 'headers', {}],
  ['internal', 'topic', { internal: true }],
])(
  'of the type %s: nothing is published or marked, and log and health name it',
  async (_name, type, options) => {
    ctx = await testContext({ RELAY_IDLE_MS: '1' });
    const { exchange, queuePrefix } = ctx.config.events;
    await replaceExchange(exchange, type, options);
    // As it was bound before: of a direct exchange this queue gets the events, so that the broker returns none.
    if (type === 'direct') await client.channel.bindQueue(`${queuePrefix}.emails`, exchange, 'user.created');
    await registerPerson(ctx);
    await makeDue(ctx);
    await relayOutbox(ctx, 0);
    expect(await countUnsent(ctx)).toBe(1);
    expect(await client.channel.checkQueue(`${queuePrefix}.emails`)).toMatchObject({ messageCount: 0 });
    const line = `The exchange ${exchange} exists with another type`;
    expect(problems()).toEqual([expect.stringContaining(line), expect.stringContaining(line)]);
    // The problem is recorded beside the run, and an answer may be a second old.
    const { body } = await eventually(
      () => {
        ctx.clock.now = new Date(ctx.clock.now.getTime() + 1_000);
        return call(health, ctx);
      },
      ({ body: { relay } }) => relay.problem?.includes(line) ?? false,
    );
    expect(body.status).toBe('degraded');

    await client.channel.deleteExchange(exchange);
    await relayOutbox(ctx, 0);
    expect(await countUnsent(ctx)).toBe(0);
    expect(await client.channel.checkQueue(`${queuePrefix}.audit`)).toMatchObject({ messageCount: 1 });
  },
);

test.each<[string, (events: TestContext['config']['events']) => string]>([
  ['of retries', (events) => retryExchangeOf(events, events.retryDelaysMs[0] ?? 0)],
  ['of dead letters', deadExchangeOf],
])('the exchange %s: poller and relay name it', async (_name, nameOf) => {
  ctx = await testContext({ RELAY_IDLE_MS: '1' });
  await replaceExchange(nameOf(ctx.config.events), 'topic');
  await relayOutbox(ctx, 0);
  await pollQueues({ ...ctx, invoke: async () => ({ kind: 'answered', payload: null }) }, 1);
  const line = `The exchange ${nameOf(ctx.config.events)} exists with another type`;
  expect(problems()).toEqual([expect.stringContaining(line), expect.stringContaining(line)]);
});

test('of a mirror: the event waits, and is not sent to some of its queues', async () => {
  const { QUEUE_PREFIX: mirror } = uniqueNames();
  const mirrors = JSON.stringify([{ format: 'typed', exchange: mirror, exchangeType: 'topic' }]);
  ctx = await testContext({ RELAY_IDLE_MS: '1', EVENT_MIRRORS: mirrors });
  await replaceExchange(mirror, 'headers');
  await registerPerson(ctx);
  await makeDue(ctx);
  await relayOutbox(ctx, 0);
  expect(await countUnsent(ctx)).toBe(1);
  const audit = queueOf(ctx.config.events, 'audit');
  expect(await client.channel.checkQueue(audit)).toMatchObject({ messageCount: 0 });
  expect(problems()[0]).toContain(`The exchange ${mirror} exists with another type`);
});

test('with other arguments, of the right type: events go out, and the log names it', async () => {
  ctx = await testContext({ RELAY_IDLE_MS: '1' });
  const { exchange, queuePrefix } = ctx.config.events;
  await replaceExchange(exchange, 'topic', { alternateExchange: 'amq.fanout' });
  await client.channel.bindQueue(`${queuePrefix}.audit`, exchange, '#');
  await registerPerson(ctx);
  expect(await countUnsent(ctx)).toBe(0);
  expect(problems()).toEqual([
    expect.stringContaining(`The exchange ${exchange} exists with other arguments`),
  ]);
});
