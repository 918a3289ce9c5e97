import { handler as health } from '../../../functions/ops/health';
import { type Broker, startBroker } from '../../../local/amqp-broker';
import { measuredRelay } from '../../../shared/ops/measured-runs';
import { type TestContext, testContext } from '../../setup/context';
import { call } from '../../setup/http';
import { logInAdmin } from '../../setup/people';

// A broker of its own: an alarm stops everyone who publishes to it.
let broker: Broker;
let ctx: TestContext;
beforeEach(async () => {
  broker = await startBroker({ port: 0 });
  ctx = await testContext({ RABBITMQ_URL: broker.url });
});
afterEach(async () => {
  await ctx.close();
  await broker.stop();
});

type Answer = Awaited<ReturnType<typeof ask>>;
async function ask() {
  ctx.clock.now = new Date(ctx.clock.now.getTime() + 1_000);
  return call(health, ctx);
}
async function until(holds: (answer: Answer) => boolean): Promise<Answer> {
  for (;;) {
    const answer = await ask();
    if (holds(answer)) return answer;
  }
}

test('while the broker has an alarm, health says blocked and events wait; they go out when it is cleared', async () => {
  const stop = new AbortController();
  broker.raiseAlarm('disk');
  const relaying = measuredRelay(ctx, 120_000, stop.signal);
  await logInAdmin(ctx);
  const { status, body } = await until((answer) => answer.body.broker === 'blocked');
  expect([status, body.status]).toEqual([200, 'degraded']);
  expect((await until((answer) => answer.body.relay.problem !== null)).body.relay.problem).toContain('alarm');
  expect((await ask()).body.outbox.pending).toBe(2);
  broker.clearAlarm('disk');
  await until((answer) => answer.body.outbox.pending === 0 && answer.body.relay.problem === null);
  expect((await ask()).body.broker).toBe('up');
  stop.abort();
  await relaying;
});
