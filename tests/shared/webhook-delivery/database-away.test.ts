// The database goes away while deliveries are on their way: what becomes of their outcomes.
import type { Context } from '../../../shared/context/context';
import { type Db, openDatabase } from '../../../shared/db/connection';
import type { Outcome } from '../../../shared/webhook-delivery/attempt-delivery';
import { type ClaimedDelivery, claimDeliveries } from '../../../shared/webhook-delivery/claim-store';
import { OutcomeWriter } from '../../../shared/webhook-delivery/outcome-writer';
import { startProxy, type TcpProxy } from '../../setup/proxy';
import { newEvents, subscribe, type WebhookTestContext, webhookContext } from '../../setup/webhooks';

const COUNT = 3;

let direct: WebhookTestContext;
let proxy: TcpProxy;
let db: Db;
/** As `direct`, through the proxy. */
let ctx: Context;
let statements: number;
let deliveries: ClaimedDelivery[];
beforeEach(async () => {
  direct = await webhookContext();
  await subscribe(direct, 'http://127.0.0.1:40009/hook');
  await newEvents(direct, COUNT);
  deliveries = await claimDeliveries(direct.db, { working: 10, failing: 10, perEndpoint: 10 }, 60_000);
  proxy = await startProxy(direct.config.database.url);
  statements = 0;
  db = openDatabase({ url: proxy.url, poolSize: 1, connectTimeoutMs: 20_000 }, () => {}).withPlugin({
    transformQuery: ({ node }) => {
      statements += 1;
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  ctx = { ...direct, db };
});
afterEach(async () => {
  await db.destroy();
  await proxy.stop();
  await direct.close();
});

const succeeded = (): Outcome => ({
  answer: { kind: 'answered', status: 204, headers: {}, excerpt: '' },
  startedAt: direct.now(),
  durationMs: 1,
});
const writeAll = (writer: OutcomeWriter) =>
  Promise.all(deliveries.map((delivery) => writer.write(delivery, succeeded())));

test('the time of each outcome runs from its arrival: those whose time is up go with the first', async () => {
  await proxy.stop();
  const writer = new OutcomeWriter(ctx, 0);
  await writeAll(writer);
  expect(statements).toBe(1);
  expect(writer.report).toMatchObject({ succeeded: 0 });
  expect(direct.logged.filter(({ message }) => message.includes('could not be written'))).toHaveLength(COUNT);
});

test('while the database is there, what waited longer for its turn is written all the same', async () => {
  const writer = new OutcomeWriter(ctx, 0);
  await writeAll(writer);
  expect(writer.report).toMatchObject({ succeeded: COUNT });
});

test('all are written if the database comes back in time', async () => {
  await proxy.stop();
  const writer = new OutcomeWriter(ctx, 60_000);
  const written = writeAll(writer);
  while (statements === 0) await new Promise((resolve) => setImmediate(resolve));
  await proxy.start();
  await written;
  expect(writer.report).toMatchObject({ succeeded: COUNT });
});
