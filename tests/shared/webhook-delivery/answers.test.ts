import { once } from 'node:events';
import { createContext } from '../../../shared/context/context';
import { startProxy } from '../../setup/proxy';
import { type Receiver, status } from '../../setup/receiver';
import {
  deliveriesOf,
  newEvents,
  sendOnce,
  subscribe,
  type WebhookTestContext,
  webhookContext,
} from '../../setup/webhooks';

let ctx: WebhookTestContext;
beforeEach(async () => {
  ctx = await webhookContext();
});
afterEach(() => ctx.close());

describe('an answer', () => {
  test('that redirects is a failure, and is not followed', async () => {
    const inner = await ctx.receiver();
    const there = await ctx.receiver(status(307, { location: inner.url }));
    const webhook = await subscribe(ctx, there.url);
    await newEvents(ctx, 1);
    expect(await sendOnce(ctx)).toMatchObject({ retried: 1 });
    expect(inner.connections).toBe(0);
    expect((await deliveriesOf(ctx, webhook))[0]?.attempts).toMatchObject([
      { responseStatus: 307, error: 'redirects are not followed' },
    ]);
  });

  test('without end is cut off, and its status counts', async () => {
    let closed: Promise<unknown> | undefined;
    const there = await ctx.receiver((response) => {
      closed = once(response, 'close');
      const more = () => {
        while (!response.destroyed && response.write('\0é'.repeat(1000)));
        if (!response.destroyed) response.once('drain', more);
      };
      response.writeHead(200);
      more();
    });
    const webhook = await subscribe(ctx, there.url);
    await newEvents(ctx, 1);
    expect(await sendOnce(ctx)).toMatchObject({ succeeded: 1 });
    await closed;
    const excerpt = (await deliveriesOf(ctx, webhook))[0]?.attempts[0]?.response ?? '';
    expect(excerpt).toMatch(/^(\uFFFDé)+\uFFFD*$/);
    expect(excerpt.length).toBeLessThanOrEqual(1024);
  });

  test('whose body does not end in time counts by its status', async () => {
    await ctx.close();
    ctx = await webhookContext({ WEBHOOK_TIMEOUT_MS: '4000' });
    const there = await ctx.receiver((response) => void response.writeHead(200).write('wait'));
    const webhook = await subscribe(ctx, there.url);
    await newEvents(ctx, 1);
    expect(await sendOnce(ctx)).toMatchObject({ succeeded: 1 });
    expect((await deliveriesOf(ctx, webhook))[0]?.attempts).toMatchObject([
      { response: 'wait', error: null },
    ]);
  });

  test.each<[string, Receiver['answer'], RegExp]>([
    ['that is none', (response) => void response.destroy(), /socket hang up/],
    [
      'in another protocol',
      (response) =>
        void response.socket?.end(
          'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n',
        ),
      /closed|hang up/,
    ],
    ['that is no HTTP', (response) => void response.socket?.end('hello\r\n\r\n'), /Parse Error/],
    [
      'with headers without end',
      (response) => void response.writeHead(200, { x: 'x'.repeat(100_000) }).end(),
      /Parse Error/,
    ],
  ])('%s is a failure', async (_name, answer, error) => {
    const there = await ctx.receiver(answer);
    const webhook = await subscribe(ctx, there.url);
    await newEvents(ctx, 1);
    expect(await sendOnce(ctx)).toMatchObject({ retried: 1 });
    expect((await deliveriesOf(ctx, webhook))[0]?.attempts[0]?.error).toMatch(error);
  });
});

test('an outcome waits for a database that went away meanwhile, and nothing is sent twice', async () => {
  const proxy = await startProxy(ctx.config.database.url);
  const database = { ...ctx.config.database, url: proxy.url };
  const lost = createContext({ ...ctx.config, database }, ctx.log).db;
  let statements: number | undefined;
  const db = lost.withPlugin({
    transformQuery: ({ node }) => {
      // The first one fails: the database is back for the next.
      if (statements !== undefined && ++statements === 2) void proxy.start();
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  const there = await ctx.receiver(async (response) => {
    await proxy.stop();
    statements = 0;
    response.writeHead(204).end();
  });
  const webhook = await subscribe(ctx, there.url);
  await newEvents(ctx, 1);
  expect(await sendOnce({ ...ctx, db })).toMatchObject({ succeeded: 1 });
  expect(await deliveriesOf(ctx, webhook)).toMatchObject([{ status: 'succeeded' }]);
  expect(there.messages).toHaveLength(1);
  await lost.destroy();
  await proxy.stop();
});
