// What the poller holds while it cannot hand it over, and what becomes of it in the queue when it gives it back.

import { queueOf } from '../../../shared/broker/topology';
import { createContext } from '../../../shared/context/context';
import type { InvokeOutcome } from '../../../shared/lambda/invoke';
import type { RmqEvent } from '../../../shared/lambda/rmq-event';
import { relayOutbox } from '../../../shared/outbox/relay';
import { pollQueues } from '../../../shared/poller/poll-queues';
import { findTaskRuns } from '../../../shared/tasks/task-run-store';
import { openClient } from '../../setup/broker';
import { type TestContext, testContext } from '../../setup/context';
import { fillOutbox } from '../../setup/outbox';
import { startProxy } from '../../setup/proxy';
import { eventually } from '../../setup/service';

let ctx: TestContext;
afterEach(() => ctx.close());

async function sendOneEvent(): Promise<void> {
  await fillOutbox(ctx, 1);
  await relayOutbox(ctx, 0);
}

/** Runs a poller until the audit consumer has been called once. @returns what it was called with */
async function pollOnce(outcome: InvokeOutcome, db = ctx.db): Promise<RmqEvent> {
  const stop = new AbortController();
  let given: RmqEvent | undefined;
  const invoke = async (name: string, payload: unknown): Promise<InvokeOutcome> => {
    if (!name.endsWith('-audit')) return { kind: 'answered', payload: null };
    given = payload as RmqEvent;
    stop.abort();
    return outcome;
  };
  await pollQueues({ ...ctx, db, invoke }, 60_000, stop.signal);
  if (!given) throw new Error('The audit consumer was not called');
  return given;
}

test('an event that comes back more often than RabbitMQ 4 allows by itself is still there', async () => {
  ctx = await testContext({ QUEUE_TYPE: 'quorum' });
  await sendOneEvent();
  for (let i = 0; i < 25; i++) await pollOnce({ kind: 'unavailable', reason: 'throttled' });
  const batch = await pollOnce({ kind: 'answered', payload: null });
  expect(Object.values(batch.rmqMessagesByQueue).flat()).toHaveLength(1);
  const { model, channel } = await openClient();
  expect(await channel.checkQueue(queueOf(ctx.config.events, 'audit'))).toMatchObject({ messageCount: 0 });
  await model.close();
});

test('while the database is away, a batch waits in the hands of the poller', async () => {
  ctx = await testContext();
  await sendOneEvent();
  const proxy = await startProxy(ctx.config.database.url);
  await proxy.stop();
  const { db } = createContext(
    { ...ctx.config, database: { ...ctx.config.database, url: proxy.url, poolSize: 5 } },
    ctx.log,
  );
  const told = (level: string, text: string) =>
    ctx.logged.filter((line) => line['level'] === level && line.message.includes(text));

  const handled = pollOnce({ kind: 'answered', payload: null }, db);
  while (told('error', 'The poller cannot work').length === 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  await proxy.start();
  const [message] = Object.values((await handled).rmqMessagesByQueue).flat();
  // Never given back: nor would it help to ask the broker for it again.
  expect(message?.redelivered).toBe(false);
  expect(told('error', '')).toHaveLength(1);
  expect(told('info', 'The poller works again')).toHaveLength(1);
  await db.destroy();
  await proxy.stop();
});

test('a function whose database is away gets its batch again as it was, without an attempt being counted', async () => {
  ctx = await testContext();
  await sendOneEvent();
  const stop = new AbortController();
  const given: RmqEvent[] = [];
  const problem = async () => (await findTaskRuns(ctx.db)).get('poll-queues')?.problem ?? null;
  const problems: (string | null)[] = [];
  const invoke = async (name: string, payload: unknown): Promise<InvokeOutcome> => {
    if (!name.endsWith('-audit')) return { kind: 'answered', payload: null };
    given.push(payload as RmqEvent);
    if (given.length === 1)
      return { kind: 'answered', payload: { batchItemFailures: [], unavailable: 'no database' } };
    problems.push(await eventually(problem, (found) => found !== null));
    stop.abort();
    return { kind: 'answered', payload: null };
  };
  await pollQueues({ ...ctx, invoke }, 60_000, stop.signal);
  // The health check names it, and no longer when it is over.
  expect(problems).toEqual(['A consumer function is unavailable: audit']);
  await eventually(problem, (found) => found === null);
  expect(given).toHaveLength(2);
  expect(given[1]).toEqual(given[0]);
  expect(ctx.logged).toContainEqual(
    expect.objectContaining({
      message: 'A consumer function is unavailable',
      reason: 'no database',
    }),
  );
});
