import { uuidv7 } from 'uuidv7';
import { consumer, newestOnly } from '../../../shared/consumers/consumer';
import { createContext } from '../../../shared/context/context';
import type { Tx } from '../../../shared/db/connection';
import { PermanentError } from '../../../shared/errors';
import type { UserEvent } from '../../../shared/events/catalog';
import { POLLER_ARN } from '../../../shared/lambda/rmq-event';
import { type TestContext, testContext } from '../../setup/context';
import { startProxy } from '../../setup/proxy';
import { rmqEvent } from '../../setup/rmq';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext();
});
afterAll(() => ctx.close());

function eventsOf(subject: string, count: number): UserEvent[] {
  return Array.from({ length: count }, (_, i) => ({
    specversion: '1.0',
    id: uuidv7(),
    source: 'rollcall',
    type: 'user.email_verified',
    subject,
    time: '2026-11-20T16:37:15.123Z',
    datacontenttype: 'application/json',
    sequence: `000000000${i + 1}`,
    data: { id: subject },
  }));
}
const idsOf = (events: (UserEvent | undefined)[]) => events.flatMap((event) => (event ? [event.id] : []));

test.each(['one', 'each'] as const)(
  'after an event that failed, the later ones of its user are not tried (transactions: %s)',
  async (transactions) => {
    const [a, b] = [eventsOf(uuidv7(), 3), eventsOf(uuidv7(), 3)];
    const handled: string[] = [];
    const handle = consumer(
      'audit',
      {
        '*': async (event) => {
          if (event.id === a[1]?.id) throw new Error('no luck');
          handled.push(event.id);
        },
      },
      () => ctx,
      transactions,
    );
    const [a1, a2, a3] = a;
    const [b1, b2, b3] = b;
    const batch = [a1, b1, a2, b2, a3, b3].filter((event) => event !== undefined);
    const answer = await handle(rmqEvent(batch));
    expect(answer.batchItemFailures.map((failure) => [failure.itemIdentifier, failure.reason])).toEqual([
      [a2?.id, 'no luck'],
      [a3?.id, 'not tried: an earlier event of the user failed'],
    ]);
    const inInbox = await ctx.db
      .selectFrom('inbox')
      .select('event_id')
      .where('event_id', 'in', idsOf(batch))
      .execute();
    expect(inInbox.map((row) => row.event_id).sort()).toEqual(idsOf([a1, b1, b2, b3]).sort());
    // The last time of each: transactions that were taken back had some of them too.
    expect([...new Set(handled.reverse())].reverse()).toEqual(idsOf([a1, b1, b2, b3]));
  },
);

test('one bad event in a hundred costs a few transactions, not a hundred', async () => {
  const events = Array.from({ length: 100 }, () => eventsOf(uuidv7(), 1)).flat();
  const bad = events[70]?.id;
  let transactions = 0;
  const handle = consumer(
    'audit',
    async (batch) => {
      transactions += 1;
      if (batch.some((event) => event.id === bad)) throw new Error('no luck');
    },
    () => ctx,
  );
  expect(await handle(rmqEvent(events))).toEqual({
    batchItemFailures: [{ itemIdentifier: bad, reason: 'no luck' }],
  });
  expect(transactions).toBeLessThanOrEqual(15);
});

test('what has failed before goes first, and takes nobody along; its user comes after it', async () => {
  const [again, behind] = eventsOf(uuidv7(), 2);
  const others = Array.from({ length: 20 }, () => eventsOf(uuidv7(), 1)).flat();
  if (!again || !behind) throw new Error('eventsOf made none');
  const tried: string[][] = [];
  let fails = true;
  const handle = consumer(
    'audit',
    async (batch) => {
      tried.push(idsOf(batch));
      if (fails && batch.some((event) => event.id === again.id)) throw new Error('no luck');
    },
    () => ctx,
  );
  const batch = rmqEvent([...others, behind, again], POLLER_ARN, [again.id]);
  const answer = await handle(batch);
  expect(answer.batchItemFailures.map((failure) => failure.itemIdentifier)).toEqual(idsOf([again, behind]));
  expect(tried).toEqual([[again.id], idsOf(others)]);
  fails = false;
  await handle(batch);
  expect(tried.slice(2)).toEqual([[again.id], [behind.id]]);
});

test('a permanent error is final to our poller, and one like any other to Amazon MQ', async () => {
  const [good, bad] = [...eventsOf(uuidv7(), 1), ...eventsOf(uuidv7(), 1)];
  const handle = consumer(
    'audit',
    {
      '*': async (event) => {
        if (event.id === bad?.id) throw new PermanentError('there is no such mailbox');
      },
    },
    () => ctx,
  );
  const batch = [good, bad].filter((event) => event !== undefined);
  expect(await handle(rmqEvent(batch))).toEqual({
    batchItemFailures: [{ itemIdentifier: bad?.id, reason: 'there is no such mailbox', final: true }],
  });
  await expect(handle(rmqEvent(batch, 'arn:aws:mq:broker'))).rejects.toThrow('there is no such mailbox');
});

test('without its database, it answers that the batch has to wait, and blames no event', async () => {
  const proxy = await startProxy(ctx.config.database.url);
  await proxy.stop();
  const database = { ...ctx.config.database, url: proxy.url };
  const lost = { ...ctx, db: createContext({ ...ctx.config, database }, ctx.log).db };
  const handle = consumer('audit', { '*': async () => {} }, () => lost);
  const batch = Array.from({ length: 20 }, () => eventsOf(uuidv7(), 1)).flat();
  const waiting = () => ctx.logged.filter(({ message }) => message === 'Events wait for the database').length;
  const before = waiting();
  expect(await handle(rmqEvent(batch))).toEqual({
    batchItemFailures: [],
    unavailable: expect.stringContaining('ECONNREFUSED'),
  });
  expect(waiting() - before).toBe(1);
  // Which understands no such answer: a call that throws has the whole batch come again.
  await expect(handle(rmqEvent(batch, 'arn:aws:mq:broker'))).rejects.toThrow('temporarily unavailable');
  await proxy.start();
  expect(await handle(rmqEvent(batch))).toEqual({ batchItemFailures: [] });
  await lost.db.destroy();
  await proxy.stop();
});

test.each<[string, (tx: Tx, event: UserEvent) => Promise<unknown>]>([
  [
    'the inbox row of an event',
    (tx, { id }) => tx.insertInto('inbox').values({ event_id: id, consumer: 'audit' }).execute(),
  ],
  [
    'a row that a handler changes',
    (tx, { subject }) =>
      tx.insertInto('consumer_sequences').values({ consumer: 'audit', subject, sequence: '0' }).execute(),
  ],
])(
  'while another transaction holds %s, the batch has to wait, and no event is blamed',
  async (_what, hold) => {
    const database = { ...ctx.config.database, lockTimeoutMs: 100 };
    const impatient = { ...ctx, db: createContext({ ...ctx.config, database }, ctx.log).db };
    const handled: string[] = [];
    const handle = consumer(
      'audit',
      { '*': newestOnly('audit', async ({ id }) => void handled.push(id)) },
      () => impatient,
    );
    const batch = Array.from({ length: 3 }, () => eventsOf(uuidv7(), 1)).flat();
    // As a connection leaves it that has fallen silent: the server keeps its transaction for a while.
    const rolledBack = ctx.db.transaction().execute(async (tx) => {
      if (batch[1]) await hold(tx, batch[1]);
      expect(await handle(rmqEvent(batch))).toEqual({
        batchItemFailures: [],
        unavailable: expect.stringContaining('lock timeout'),
      });
      throw new Error('rolled back');
    });
    await expect(rolledBack).rejects.toThrow('rolled back');
    handled.splice(0);
    expect(await handle(rmqEvent(batch))).toEqual({ batchItemFailures: [] });
    expect(handled).toEqual(idsOf(batch));
    await impatient.db.destroy();
  },
);

describe('a handler that keeps state per user', () => {
  const seen: string[] = [];
  const handle = (batch: Parameters<ReturnType<typeof consumer>>[0]) =>
    consumer(
      'emails',
      { '*': newestOnly('emails', async (event) => void seen.push(event.sequence)) },
      () => ctx,
    )(batch);

  test('never sees an event after a newer one of the same user', async () => {
    const [first, second, third] = eventsOf(uuidv7(), 3);
    for (const event of [second, first, third, second]) if (event) await handle(rmqEvent([event]));
    expect(seen).toEqual(['0000000002', '0000000003']);
    expect(ctx.logged.filter(({ message }) => message === 'An older event was skipped')).toMatchObject([
      { consumer: 'emails', eventId: first?.id },
    ]);
  });

  test('of two users each has a sequence of its own', async () => {
    seen.length = 0;
    for (const subject of [uuidv7(), uuidv7()]) await handle(rmqEvent(eventsOf(subject, 2)));
    expect(seen).toEqual(['0000000001', '0000000002', '0000000001', '0000000002']);
  });
});
