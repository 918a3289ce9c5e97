import { sql } from 'kysely';
import { NOBODY } from '../../../shared/events/origin';
import { redeliverWebhook } from '../../../shared/webhook-delivery/redeliver-webhook';
import { getWebhook } from '../../../shared/webhooks/get-webhook';
import { updateWebhook } from '../../../shared/webhooks/update-webhook';
import { idsAt, status, verified } from '../../setup/receiver';
import {
  deliveriesOf,
  makeDeliveriesDue,
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

async function databaseTime(): Promise<number> {
  const { rows } = await sql<{ seconds: number }>`
    select extract(epoch from clock_timestamp())::float8 as seconds`.execute(ctx.db);
  return rows[0]?.seconds ?? 0;
}

describe('an endpoint that fails', () => {
  test('for a while gets the event again by the schedule, under the same id, until it takes it', async () => {
    const there = await ctx.receiver(status(500));
    const webhook = await subscribe(ctx, there.url);
    const [event] = await newEvents(ctx, 1);
    // 5 s, 5 min, 30 min, each up to a fifth longer.
    for (const [index, delay] of [5, 300, 1800].entries()) {
      const attempt = index + 1;
      const before = await databaseTime();
      expect(await sendOnce(ctx)).toMatchObject({ retried: 1 });
      const after = await databaseTime();
      const [delivery] = await deliveriesOf(ctx, webhook);
      const [row] = await ctx.db
        .selectFrom('webhook_deliveries')
        .select(sql<number>`extract(epoch from next_attempt_at)::float8`.as('next'))
        .execute();
      const next = row?.next ?? 0;
      expect([next >= before + delay, next <= after + delay * 1.2]).toEqual([true, true]);
      expect(delivery).toMatchObject({ status: 'pending', attemptCount: attempt });
      // Not due yet. (The first is so soon that it may be, on a busy machine.)
      if (attempt > 1) expect(await sendOnce(ctx)).toMatchObject({ retried: 0 });
      await makeDeliveriesDue(ctx);
    }
    expect(await getWebhook(ctx.db, webhook.id)).toMatchObject({ failingSince: expect.any(String) });

    there.answer = status(200);
    expect(await sendOnce(ctx)).toMatchObject({ succeeded: 1 });
    const [delivery] = await deliveriesOf(ctx, webhook);
    expect(delivery?.attempts.map(({ responseStatus, response }) => [responseStatus, response])).toEqual([
      ...Array(3).fill([500, 'status 500']),
      [200, 'status 200'],
    ]);
    expect(new Set(idsAt(there))).toEqual(new Set([event?.id]));
    for (const message of there.messages) verified(webhook.secret, message);
    expect(await getWebhook(ctx.db, webhook.id)).toMatchObject({ failingSince: null, enabled: true });
  });

  test('to the end of its own schedule has the delivery failed, and gets it once more on demand', async () => {
    const there = await ctx.receiver(status(400));
    const webhook = await subscribe(ctx, there.url, { retryDelaysSeconds: [60] });
    const [event] = await newEvents(ctx, 1);
    expect(await sendOnce(ctx)).toMatchObject({ retried: 1 });
    await makeDeliveriesDue(ctx);
    expect(await sendOnce(ctx)).toMatchObject({ failed: 1 });
    expect(await deliveriesOf(ctx, webhook)).toMatchObject([
      { status: 'failed', attemptCount: 2, nextAttemptAt: null, finishedAt: expect.any(String) },
    ]);

    expect(await redeliverWebhook(ctx, webhook.id, event?.id ?? '', NOBODY)).toMatchObject({
      status: 'pending',
    });
    // With the whole schedule ahead.
    expect(await sendOnce(ctx)).toMatchObject({ retried: 1 });
    there.answer = status(202);
    await makeDeliveriesDue(ctx);
    expect(await sendOnce(ctx)).toMatchObject({ succeeded: 1 });
    expect(await deliveriesOf(ctx, webhook)).toMatchObject([{ status: 'succeeded', attemptCount: 4 }]);
  });

  test('to answer in time is no longer waited for', async () => {
    await ctx.close();
    ctx = await webhookContext({ WEBHOOK_TIMEOUT_MS: '50' });
    const there = await ctx.receiver(() => {});
    const webhook = await subscribe(ctx, there.url);
    await newEvents(ctx, 1);
    expect(await sendOnce(ctx)).toMatchObject({ retried: 1 });
    const [delivery] = await deliveriesOf(ctx, webhook);
    expect(delivery?.attempts).toMatchObject([{ responseStatus: null, error: 'no response within 50 ms' }]);
    // Neither is a name that is not resolved.
    const stuck = { ...ctx, resolveHost: () => new Promise<string[]>(() => {}) };
    await makeDeliveriesDue(ctx);
    expect(await sendOnce(stuck)).toMatchObject({ retried: 1 });
  });

  test('with 410 is disabled at once, with an event and a line in the log; what waits is kept', async () => {
    const there = await ctx.receiver(status(410));
    const webhook = await subscribe(ctx, `${there.url}?token=s3cret`, {});
    await newEvents(ctx, 7);
    expect(await sendOnce(ctx)).toMatchObject({ failed: 5 });
    const left = (await deliveriesOf(ctx, webhook)).map((delivery) => delivery.status);
    expect(left.sort()).toEqual([...Array(5).fill('failed'), 'pending', 'pending']);
    expect(await sendOnce(ctx)).toMatchObject({ failed: 0 });
    expect(await getWebhook(ctx.db, webhook.id)).toMatchObject({
      enabled: false,
      disabledReason: 'gone',
      version: 2,
    });
    await expectDisabledEvent(webhook.id, `127.0.0.1:${there.port}`, 'gone');
  });

  test('for too long is disabled, with an event and a line in the log; enabled again, it starts anew', async () => {
    const there = await ctx.receiver(status(500));
    const webhook = await subscribe(ctx, there.url, { retryDelaysSeconds: Array(20).fill(60) });
    await newEvents(ctx, 2);
    const passDays = (days: number) =>
      sql`update webhook_endpoints set failing_since = failing_since - ${days} * interval '1 day'`.execute(
        ctx.db,
      );
    const failTimes = async (times: number) => {
      for (let i = 0; i < times; i++) {
        await makeDeliveriesDue(ctx);
        await sendOnce(ctx);
      }
    };
    // A long time, but few failures; then many, but not for long.
    await failTimes(5);
    await passDays(6);
    await failTimes(1);
    expect(await getWebhook(ctx.db, webhook.id)).toMatchObject({ enabled: true });
    await sql`update webhook_endpoints set failing_since = now()`.execute(ctx.db);
    await failTimes(5);
    expect(await getWebhook(ctx.db, webhook.id)).toMatchObject({ enabled: true });
    await passDays(5);
    await failTimes(1);
    expect(await getWebhook(ctx.db, webhook.id)).toMatchObject({
      enabled: false,
      disabledReason: 'failing',
      version: 2,
    });
    await expectDisabledEvent(webhook.id, `127.0.0.1:${there.port}`, 'failing');

    // Nothing is sent to it any more, and new events pass it by.
    const sent = there.messages.length;
    await newEvents(ctx, 1);
    await failTimes(2);
    expect(there.messages).toHaveLength(sent);
    expect(await deliveriesOf(ctx, webhook)).toHaveLength(2);

    there.answer = status(204);
    expect(await updateWebhook(ctx, webhook.id, { enabled: true }, null, NOBODY)).toMatchObject({
      enabled: true,
      disabledReason: null,
      failingSince: null,
      version: 3,
    });
    expect(await sendOnce(ctx)).toMatchObject({ succeeded: 2 });
  });

  async function expectDisabledEvent(id: string, host: string, reason: string) {
    const rows = await ctx.db
      .selectFrom('events')
      .selectAll()
      .where('type', '=', 'webhook.disabled')
      .execute();
    expect(rows).toMatchObject([{ subject: id, sequence: '0000000002', data: { id, host, reason } }]);
    const lines = ctx.logged.filter(({ message }) => message === 'A webhook was disabled');
    expect(lines).toMatchObject([{ level: 'error', webhookId: id, host, reason }]);
    expect(JSON.stringify(ctx.logged)).not.toContain('s3cret');
  }

  test.each([429, 503])(
    'with %d and Retry-After is left alone so long, with all of its deliveries',
    async (code) => {
      const there = await ctx.receiver(status(code, { 'retry-after': '600' }));
      const other = await ctx.receiver();
      const webhook = await subscribe(ctx, there.url);
      await subscribe(ctx, other.url);
      await newEvents(ctx, 1);
      await sendOnce(ctx);
      await newEvents(ctx, 3);
      await sendOnce(ctx);
      expect([there.messages.length, other.messages.length]).toEqual([1, 4]);
      const rows = await ctx.db
        .selectFrom('webhook_endpoints')
        .innerJoin('webhook_deliveries', 'endpoint_id', 'webhook_endpoints.id')
        .select(sql<boolean>`paused_until > now() + interval '9 minutes'`.as('paused'))
        .select(sql<boolean>`next_attempt_at > now() + interval '9 minutes'`.as('later'))
        .where('endpoint_id', '=', webhook.id)
        .where('attempts', '>', 0)
        .execute();
      expect(rows).toEqual([{ paused: true, later: true }]);
    },
  );

  test('with a Retry-After beyond reason pauses for an hour', async () => {
    const there = await ctx.receiver(status(503, { 'retry-after': 'Fri, 01 Jan 2100 00:00:00 GMT' }));
    await subscribe(ctx, there.url);
    await newEvents(ctx, 1);
    await sendOnce(ctx);
    const row = await ctx.db
      .selectFrom('webhook_endpoints')
      .select(
        sql<boolean>`paused_until between now() + interval '59 minutes' and now() + interval '1 hour'`.as(
          'hour',
        ),
      )
      .executeTakeFirstOrThrow();
    expect(row.hour).toBe(true);
  });
});
