import { getEventListeners } from 'node:events';
import type { ServerResponse } from 'node:http';
import { sql } from 'kysely';
import { NOBODY } from '../../../shared/events/origin';
import { claimDeliveries } from '../../../shared/webhook-delivery/claim-store';
import { redeliverWebhook } from '../../../shared/webhook-delivery/redeliver-webhook';
import { sendWebhooks } from '../../../shared/webhook-delivery/send-webhooks';
import { purgeDeliveries } from '../../../shared/webhooks/delivery-store';
import { getWebhook } from '../../../shared/webhooks/get-webhook';
import { updateWebhook } from '../../../shared/webhooks/update-webhook';
import { idsAt, status } from '../../setup/receiver';
import {
  deliveriesOf,
  makeDeliveriesDue,
  newEvents,
  sendOnce,
  sendUntil,
  subscribe,
  type WebhookTestContext,
  webhookContext,
} from '../../setup/webhooks';

let ctx: WebhookTestContext;
beforeEach(async () => {
  ctx = await webhookContext();
});
afterEach(() => ctx.close());

describe('several senders, and those that end', () => {
  test('send each delivery once', async () => {
    const theirs = await Promise.all([1, 2, 3].map(() => ctx.receiver()));
    for (const { url } of theirs) await subscribe(ctx, url);
    const events = await newEvents(ctx, 100);
    const reports = await sendUntil(ctx, () => theirs.every(({ messages }) => messages.length >= 100), 4);
    expect(reports.reduce((sum, report) => sum + report.succeeded, 0)).toBe(300);
    for (const there of theirs) {
      expect(idsAt(there).sort()).toEqual(events.map(({ id }) => id).sort());
    }
  });

  test('a retry survives a restart: the next sender has it', async () => {
    const there = await ctx.receiver(status(503));
    const webhook = await subscribe(ctx, there.url);
    await newEvents(ctx, 3);
    await sendUntil(ctx, () => there.messages.length === 3);
    // Another process, later.
    there.answer = status(200);
    await makeDeliveriesDue(ctx);
    await sendUntil(ctx, async () =>
      (await deliveriesOf(ctx, webhook)).every(
        (each) => each.status === 'succeeded' && each.attemptCount === 2,
      ),
    );
    expect(there.messages).toHaveLength(6);
  });

  test('what a sender had claimed when it died is sent by the next one after the lease', async () => {
    const there = await ctx.receiver();
    await subscribe(ctx, there.url);
    await newEvents(ctx, 2);
    const limits = { working: 10, failing: 10, perEndpoint: 5 };
    expect(await claimDeliveries(ctx.db, limits, 60_000)).toHaveLength(2);
    expect(await sendOnce(ctx)).toMatchObject({ succeeded: 0 });
    await makeDeliveriesDue(ctx);
    expect(await sendOnce(ctx)).toMatchObject({ succeeded: 2 });
  });

  test('a sender whose claim had run out does not overwrite what the next one found', async () => {
    let first: ServerResponse | undefined;
    const there = await ctx.receiver((response) => {
      first = response;
    });
    const webhook = await subscribe(ctx, there.url);
    await newEvents(ctx, 1);
    const late = sendOnce(ctx);
    while (!first) await new Promise((resolve) => setImmediate(resolve));
    await makeDeliveriesDue(ctx);
    there.answer = status(204);
    expect(await sendOnce(ctx)).toMatchObject({ succeeded: 1 });
    first.writeHead(500).end();
    expect(await late).toMatchObject({ lost: 1 });
    expect(await deliveriesOf(ctx, webhook)).toMatchObject([{ status: 'succeeded', attemptCount: 2 }]);
    expect(await getWebhook(ctx.db, webhook.id)).toMatchObject({ failingSince: null });
  });

  test('a delivery that is under way is not sent a second time on demand', async () => {
    let first: ServerResponse | undefined;
    const there = await ctx.receiver((response) => {
      first = response;
    });
    const webhook = await subscribe(ctx, there.url);
    const [event] = await newEvents(ctx, 1);
    const run = sendOnce(ctx);
    while (!first) await new Promise((resolve) => setImmediate(resolve));
    await redeliverWebhook(ctx, webhook.id, event?.id ?? '', NOBODY);
    expect(await sendOnce(ctx)).toMatchObject({ succeeded: 0 });
    first.writeHead(204).end();
    expect(await run).toMatchObject({ succeeded: 1 });
    expect(there.messages).toHaveLength(1);
  });

  test('an event goes out while the sender is idle', async () => {
    const there = await ctx.receiver();
    await subscribe(ctx, there.url);
    const run = sendUntil(ctx, () => there.messages.length === 2);
    await newEvents(ctx, 1);
    await newEvents(ctx, 1);
    await run;
  });

  test('a run leaves nothing behind on the signal, which lives as long as the process', async () => {
    const { signal } = new AbortController();
    await sendWebhooks(ctx, 0, signal);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

test('purges what ended long ago, and what nobody wants any more, a batch at a time', async () => {
  const there = await ctx.receiver();
  const webhook = await subscribe(ctx, there.url);
  const given = await subscribe(ctx, there.url);
  await newEvents(ctx, 5);
  await updateWebhook(ctx, given.id, { enabled: false }, null, NOBODY);
  await sendUntil(ctx, () => there.messages.length === 5);
  await newEvents(ctx, 1);
  const ago = (days: number) => new Date(Date.now() - days * 24 * 60 * 60 * 1000);
  expect(await purgeDeliveries(ctx.db, ago(1), 100)).toBe(0);
  await sql`update webhook_deliveries set finished_at = ${ago(9)} where finished_at is not null`.execute(
    ctx.db,
  );
  await sql`update webhook_deliveries set next_attempt_at = ${ago(9)}`.execute(ctx.db);
  await sql`update webhook_endpoints set disabled_at = ${ago(9)} where disabled_at is not null`.execute(
    ctx.db,
  );
  expect(await purgeDeliveries(ctx.db, ago(8), 4)).toBe(4);
  expect(await purgeDeliveries(ctx.db, ago(8), 4)).toBe(4);
  expect(await purgeDeliveries(ctx.db, ago(8), 4)).toBe(2);
  expect(await deliveriesOf(ctx, given)).toEqual([]);
  expect(await deliveriesOf(ctx, webhook)).toMatchObject([{ status: 'pending' }]);
});
