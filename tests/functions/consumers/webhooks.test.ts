import { webhooks } from '../../../functions/consumers/webhooks';
import type { UserEvent } from '../../../shared/events/catalog';
import { addDeliveries } from '../../../shared/webhooks/delivery-store';
import { deleteWebhookRow } from '../../../shared/webhooks/webhook-store';
import { consume } from '../../setup/consume';
import { untilLockIsAwaited } from '../../setup/database';
import { storedEvents } from '../../setup/events';
import { fillOutbox } from '../../setup/outbox';
import { deliveriesOf, subscribe, type WebhookTestContext, webhookContext } from '../../setup/webhooks';

const URL_OF_ALL = 'http://127.0.0.1:4000/';

let ctx: WebhookTestContext;
let events: UserEvent[];
beforeEach(async () => {
  ctx = await webhookContext();
  await fillOutbox(ctx, 3, 1);
  events = await storedEvents(ctx);
});
afterEach(() => ctx.close());

const handle = (batch: UserEvent[]) =>
  consume(
    webhooks(() => ctx),
    batch,
  );
const typesFor = async (webhook: { id: string }) =>
  (await deliveriesOf(ctx, webhook)).map(({ type }) => type).sort();

test('makes a delivery for every enabled endpoint that wants events of this type', async () => {
  const all = await subscribe(ctx, URL_OF_ALL);
  const created = await subscribe(ctx, URL_OF_ALL, { eventTypes: ['user.created', 'user.deleted'] });
  const nothing = await subscribe(ctx, URL_OF_ALL, { eventTypes: ['session.created'] });
  const disabled = await subscribe(ctx, URL_OF_ALL, { enabled: false });
  expect(await handle(events)).toEqual({ batchItemFailures: [] });
  expect(await typesFor(all)).toEqual([
    ...Array(3).fill('user.created'),
    ...Array(3).fill('user.email_verified'),
  ]);
  expect(await typesFor(created)).toEqual(Array(3).fill('user.created'));
  expect(await typesFor(nothing)).toEqual([]);
  expect(await typesFor(disabled)).toEqual([]);
  expect(await deliveriesOf(ctx, all)).toMatchObject(
    [...events]
      .sort((a, b) => (a.id < b.id ? 1 : -1))
      .map(({ id }) => ({ id, status: 'pending', attemptCount: 0, attempts: [] })),
  );
});

test('an event that comes again, in a batch, later or from the log, makes no second delivery', async () => {
  const webhook = await subscribe(ctx, URL_OF_ALL);
  await handle([...events, ...events]);
  await Promise.all([handle(events), handle([...events].reverse())]);
  // A replay, after the inbox has forgotten.
  await ctx.db.deleteFrom('inbox').execute();
  expect(await handle(events)).toEqual({ batchItemFailures: [] });
  expect(ctx.logged.filter(({ level }) => level === 'error')).toEqual([]);
  expect(await deliveriesOf(ctx, webhook)).toHaveLength(events.length);
});

test('an endpoint that is being deleted is left out', async () => {
  const [stays, goes] = [await subscribe(ctx, URL_OF_ALL), await subscribe(ctx, URL_OF_ALL)];
  const [event] = events;
  if (!event) throw new Error('There is no event');
  let added: Promise<unknown> | undefined;
  await ctx.db.transaction().execute(async (tx) => {
    await deleteWebhookRow(tx, goes.id);
    added = ctx.db.transaction().execute((other) => addDeliveries(other, [event]));
    await untilLockIsAwaited(ctx);
  });
  await added;
  expect(await deliveriesOf(ctx, stays)).toHaveLength(1);
});
