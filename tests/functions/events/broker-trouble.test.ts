// While the broker cannot be used, users register, one line says why, and their events go out when it is mended.
import { createBroker } from '../../../shared/broker/connection';
import { relayOutbox } from '../../../shared/outbox/relay';
import { pollQueues } from '../../../shared/poller/poll-queues';
import { brokerUrl, NO_HOST, openClient } from '../../setup/broker';
import { type TestContext, testContext } from '../../setup/context';
import { countUnsent, fillOutbox, makeDue } from '../../setup/outbox';
import { registerPerson } from '../../setup/people';

let ctx: TestContext;
afterEach(() => ctx.close());

const errors = () => ctx.logged.filter((line) => line['level'] === 'error');
const told = (text: string) => errors().filter((line) => line.message.includes(text));

function wrong(change: (url: URL) => void): string {
  const url = new URL(brokerUrl());
  change(url);
  return url.toString();
}

test.each<[string, string, (url: URL) => void]>([
  ['the virtual host is wrong', 'rabbitmqctl add_vhost', (url) => (url.pathname = '/nowhere')],
  ['the password is wrong', 'rabbitmqctl change_password', (url) => (url.password = 'a-wrong-password')],
  ['the host is wrong', 'check the host in RABBITMQ_URL', (url) => (url.hostname = NO_HOST)],
])('%s', async (_name, help, change) => {
  ctx = await testContext({
    RABBITMQ_URL: wrong(change),
    RELAY_IDLE_MS: '1',
    // Each request asks it again.
    PUBLISH_PAUSE_MS: '0',
  });
  for (let i = 0; i < 5; i++) await registerPerson(ctx);
  expect(told(help)).toMatchObject([
    { consequence: 'Publishing is paused in this container: the relay takes over' },
  ]);
  ctx.logged.length = 0;
  await makeDue(ctx);

  /** Ends a run when it has tried that often: a busy machine takes its time to be refused. */
  const endingAfter = (tries: number) => {
    const stop = new AbortController();
    let attempts = 0;
    const open = async (timeoutMs: number) => {
      if (++attempts > tries) stop.abort();
      return ctx.broker.open(timeoutMs);
    };
    return { troubled: { ...ctx, broker: { ...ctx.broker, open } }, signal: stop.signal };
  };
  const relay = endingAfter(20);
  await relayOutbox(relay.troubled, 60_000, relay.signal);
  expect(told(help)).toMatchObject([{ consequence: 'The relay cannot work and will retry' }]);
  ctx.logged.length = 0;

  const invoke = async () => ({ kind: 'answered' as const, payload: null });
  const poller = endingAfter(1);
  await pollQueues({ ...poller.troubled, invoke }, 60_000, poller.signal);
  expect(told(help)).toMatchObject([{ consequence: 'The poller cannot work and will retry' }]);
  expect(errors()).toHaveLength(1);
  expect(JSON.stringify(ctx.logged)).not.toContain('a-wrong-password');

  const broker = createBroker(brokerUrl(), 'rollcall-test', ctx.log);
  expect(await countUnsent(ctx)).toBe(5);
  expect(await relayOutbox({ ...ctx, broker }, 0)).toEqual({ published: 5, refused: 0 });
  await broker.close();
});

test('a queue that is full and refuses: one line for a whole backlog, and it goes out when there is room', async () => {
  ctx = await testContext({ RELAY_BATCH_SIZE: '10', RELAY_IDLE_MS: '1' });
  const { model, channel } = await openClient();
  const full = `${ctx.config.events.queuePrefix}.full`;
  await channel.assertQueue(full, { arguments: { 'x-max-length': 0, 'x-overflow': 'reject-publish' } });
  await channel.bindQueue(full, ctx.config.events.exchange, '#');
  await fillOutbox(ctx, 100);
  let refused = 0;
  while (refused < 100) refused += (await relayOutbox(ctx, 20)).refused;
  const lines = ctx.logged.filter((line) => line.message.startsWith('The broker refused an event'));
  // One in each run.
  expect(lines.length).toBeLessThan(30);
  expect(lines[0]?.['reason']).toContain('raise its x-max-length');

  await channel.deleteQueue(full);
  await makeDue(ctx);
  while ((await countUnsent(ctx)) > 0) await relayOutbox(ctx, 0);
  await model.close();
});
