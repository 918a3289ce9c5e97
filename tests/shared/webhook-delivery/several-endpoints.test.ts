import type { ServerResponse } from 'node:http';
import { NOBODY } from '../../../shared/events/origin';
import { sendWebhooks } from '../../../shared/webhook-delivery/send-webhooks';
import { testWebhook } from '../../../shared/webhook-delivery/test-webhook';
import { status } from '../../setup/receiver';
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

describe('several endpoints', () => {
  test('one that hangs and one that fails take nothing from the others', async () => {
    const hanging: ServerResponse[] = [];
    const slow = await ctx.receiver((response) => void hanging.push(response));
    const failing = await ctx.receiver(status(500));
    const fine = [await ctx.receiver(), await ctx.receiver()];
    const slowWebhook = await subscribe(ctx, slow.url);
    for (const { url } of [failing, ...fine]) await subscribe(ctx, url);
    const events = await newEvents(ctx, 60);

    const run = sendUntil(ctx, async () => {
      // The slow one answers nothing before the others have everything.
      const done = fine.every(({ messages }) => messages.length === events.length);
      if (done) for (const response of hanging.splice(0)) response.writeHead(204).end();
      return done && (await deliveriesOf(ctx, slowWebhook)).every((each) => each.status === 'succeeded');
    });
    await run;
    for (const { messages } of fine) {
      expect(new Set(messages.map(({ headers }) => headers['webhook-id'])).size).toBe(events.length);
      expect(messages).toHaveLength(events.length);
    }
    expect(failing.messages.length).toBeGreaterThanOrEqual(5);
    expect(slow.messages).toHaveLength(60);
  });

  test('a failing one gets one delivery at a time, whoever sends', async () => {
    const there = await ctx.receiver(status(500));
    await subscribe(ctx, there.url);
    await newEvents(ctx, 1);
    await sendOnce(ctx);
    await newEvents(ctx, 20);
    expect(await sendOnce(ctx)).toMatchObject({ retried: 1 });

    let held: ServerResponse | undefined;
    there.answer = (response) => {
      held = response;
    };
    const run = sendOnce(ctx);
    while (!held) await new Promise((resolve) => setImmediate(resolve));
    expect(await sendOnce(ctx)).toMatchObject({ retried: 0, succeeded: 0 });
    held.writeHead(204).end();
    expect(await run).toMatchObject({ succeeded: 1 });
    // It works again, and gets as many as any other.
    there.answer = status(204);
    expect(await sendOnce(ctx)).toMatchObject({ succeeded: 5 });
  });

  test('a backlog of one does not come before the others', async () => {
    await ctx.close();
    ctx = await webhookContext({ WEBHOOK_CONCURRENCY: '2' });
    const [busy, quiet] = [await ctx.receiver(), await ctx.receiver()];
    const webhook = await subscribe(ctx, busy.url);
    await newEvents(ctx, 200);
    const other = await subscribe(ctx, quiet.url);
    await testWebhook(ctx, other.id, NOBODY);
    expect(await sendOnce(ctx)).toMatchObject({ succeeded: 2 });
    expect([busy.messages.length, quiet.messages.length]).toEqual([1, 1]);
    await sendUntil(ctx, () => busy.messages.length === 200);
    expect((await deliveriesOf(ctx, webhook)).every(({ status: now }) => now === 'succeeded')).toBe(true);
  });

  test('however many hang, those that work have places of their own', async () => {
    await ctx.close();
    ctx = await webhookContext({ WEBHOOK_CONCURRENCY: '2' });
    const responses: ServerResponse[] = [];
    const hanging = await ctx.receiver((response) => void responses.push(response));
    const broken = await ctx.receiver(status(500));
    const webhooksThatHang = await Promise.all([1, 2, 3, 4].map(() => subscribe(ctx, broken.url)));
    await newEvents(ctx, 1);
    await sendUntil(ctx, () => broken.messages.length === 4);
    for (const { id } of webhooksThatHang) {
      await ctx.db.updateTable('webhook_endpoints').set({ url: hanging.url }).where('id', '=', id).execute();
    }
    await makeDeliveriesDue(ctx);
    const fine = await ctx.receiver();
    await subscribe(ctx, fine.url);
    await newEvents(ctx, 10);
    const end = new AbortController();
    const run = sendWebhooks(ctx, 60_000, end.signal);
    while (fine.messages.length < 10 || responses.length < 2)
      await new Promise((resolve) => setImmediate(resolve));
    end.abort();
    expect(responses).toHaveLength(2);
    for (const response of responses) response.writeHead(204).end();
    await run;
  });
});
