import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { sql } from 'kysely';
import { webhooks } from '../../../functions/consumers/webhooks';
import { deleteUserById } from '../../../functions/users/delete-user';
import { claimDeliveries } from '../../../shared/webhooks/claim-store';
import { purgeDeliveries } from '../../../shared/webhooks/delivery-store';
import { getWebhook } from '../../../shared/webhooks/get-webhook';
import { redeliver, sendTest } from '../../../shared/webhooks/request-delivery';
import { rotateSecret } from '../../../shared/webhooks/rotate-secret';
import { sendWebhooks } from '../../../shared/webhooks/send-webhooks';
import { updateWebhook } from '../../../shared/webhooks/update-webhook';
import { consume } from '../../setup/consume';
import { storedEvents } from '../../setup/events';
import { call } from '../../setup/http';
import { registerPerson } from '../../setup/people';
import { type Receiver, startReceiver, status, verified } from '../../setup/receiver';
import {
  deliveriesOf,
  makeDeliveriesDue,
  newEvents,
  sendUntil,
  subscribe,
  type WebhookTestContext,
  webhookContext,
} from '../../setup/webhooks';

let ctx: WebhookTestContext;
let receivers: Receiver[];
beforeEach(async () => {
  receivers = [];
  ctx = await webhookContext();
});
afterEach(async () => {
  await Promise.all(receivers.map((receiver) => receiver.stop()));
  await ctx.close();
});

async function receiver(answer?: Receiver['answer']): Promise<Receiver> {
  const started = await startReceiver(answer);
  receivers.push(started);
  return started;
}
const idsAt = ({ messages }: Receiver) => messages.map(({ headers }) => String(headers['webhook-id']));
/** One claim, and what comes of it. */
const sendOnce = (context = ctx) => sendWebhooks(context, 0);

describe('what is sent', () => {
  test('verifies with the reference library, and is the event', async () => {
    const there = await receiver();
    const webhook = await subscribe(ctx, there.url);
    const [event] = await newEvents(ctx, 1);
    expect(await sendOnce()).toEqual({ succeeded: 1, retried: 0, failed: 0, lost: 0 });

    const [message] = there.messages;
    expect(verified(webhook.secret, message)).toEqual({
      type: event?.type,
      timestamp: event?.time,
      data: event?.data,
      subject: event?.subject,
      sequence: event?.sequence,
    });
    expect(message?.headers).toMatchObject({
      'webhook-id': event?.id,
      'content-type': 'application/json',
      'user-agent': 'Rollcall-Webhooks',
      host: `127.0.0.1:${there.port}`,
    });
    const other = await subscribe(ctx, there.url);
    expect(() => verified(other.secret, message)).toThrow('No matching signature');
    expect(() =>
      verified(webhook.secret, { body: `${message?.body} `, headers: message?.headers ?? {} }),
    ).toThrow('No matching signature');

    const [delivery] = await deliveriesOf(ctx, webhook);
    expect(delivery).toMatchObject({
      id: event?.id,
      status: 'succeeded',
      attemptCount: 1,
      nextAttemptAt: null,
    });
    expect(delivery?.attempts).toMatchObject([
      { attempt: 1, responseStatus: 204, response: '', error: null },
    ]);
  });

  test('is signed with both secrets for a day after a rotation, then with the new one', async () => {
    const there = await receiver();
    const webhook = await subscribe(ctx, there.url);
    const rotated = await rotateSecret(ctx, webhook.id, null);
    await newEvents(ctx, 1);
    await sendOnce();
    const before = there.messages.at(-1);
    expect(verified(webhook.secret, before)).toEqual(verified(rotated.secret, before));

    await sql`update webhook_endpoints set previous_secret_expires_at = now()`.execute(ctx.db);
    await newEvents(ctx, 1);
    await sendOnce();
    const after = there.messages.at(-1);
    expect(verified(rotated.secret, after)).toMatchObject({ type: 'user.created' });
    expect(() => verified(webhook.secret, after)).toThrow('No matching signature');
  });

  test('has nothing of a user who was deleted before it was sent', async () => {
    const there = await receiver();
    const webhook = await subscribe(ctx, there.url);
    const { user, accessToken } = await registerPerson(ctx);
    await consume(
      webhooks(() => ctx),
      await storedEvents(ctx),
    );
    await call(deleteUserById, ctx, { method: 'DELETE', params: { id: user.id }, token: accessToken });
    await sendOnce();
    const [created] = there.messages.map((message) => verified(webhook.secret, message));
    expect(created).toMatchObject({ type: 'user.created', data: { id: user.id, email: null } });
    expect(there.messages.map(({ body }) => body).join()).not.toContain(user.username);
  });

  test('is nothing where the log does not hold the event any more, and the endpoint is not to blame', async () => {
    const there = await receiver();
    const webhook = await subscribe(ctx, there.url);
    await newEvents(ctx, 1);
    await ctx.db.deleteFrom('outbox').execute();
    expect(await sendOnce()).toMatchObject({ failed: 1 });
    expect((await deliveriesOf(ctx, webhook))[0]?.attempts[0]?.error).toMatch('does not hold the event');
    expect(there.connections).toBe(0);
    expect(await getWebhook(ctx.db, webhook.id)).toMatchObject({ failingSince: null });
  });

  test('is a test where one is asked for, whatever the endpoint subscribes to', async () => {
    const there = await receiver();
    const webhook = await subscribe(ctx, there.url, { eventTypes: ['user.deleted'] });
    const { id } = await sendTest(ctx, webhook.id);
    await sendOnce();
    expect(verified(webhook.secret, there.messages[0])).toEqual({
      type: 'webhook.test',
      timestamp: expect.any(String),
      data: { id: webhook.id },
    });
    expect(idsAt(there)).toEqual([id]);
  });
});

describe('an endpoint that fails', () => {
  test('for a while gets the event again by the schedule, under the same id, until it takes it', async () => {
    const there = await receiver(status(500));
    const webhook = await subscribe(ctx, there.url);
    const [event] = await newEvents(ctx, 1);
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 3; attempt++) {
      expect(await sendOnce()).toMatchObject({ retried: 1 });
      const [delivery] = await deliveriesOf(ctx, webhook);
      const [row] = await ctx.db
        .selectFrom('webhook_deliveries')
        .select(sql<number>`extract(epoch from next_attempt_at - now())::float8`.as('seconds'))
        .execute();
      waits.push(row?.seconds ?? 0);
      expect(delivery).toMatchObject({ status: 'pending', attemptCount: attempt });
      // Not due yet.
      expect(await sendOnce()).toMatchObject({ retried: 0 });
      await makeDeliveriesDue(ctx);
    }
    // 5 s, 5 min, 30 min, each up to a fifth longer; some of the wait has passed.
    for (const [index, seconds] of [5, 300, 1800].entries()) {
      expect(waits[index]).toBeLessThanOrEqual(seconds * 1.2);
      expect(waits[index]).toBeGreaterThan(seconds * 0.5);
    }
    expect(await getWebhook(ctx.db, webhook.id)).toMatchObject({ failingSince: expect.any(String) });

    there.answer = status(200);
    expect(await sendOnce()).toMatchObject({ succeeded: 1 });
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
    const there = await receiver(status(400));
    const webhook = await subscribe(ctx, there.url, { retryDelaysSeconds: [60] });
    const [event] = await newEvents(ctx, 1);
    expect(await sendOnce()).toMatchObject({ retried: 1 });
    await makeDeliveriesDue(ctx);
    expect(await sendOnce()).toMatchObject({ failed: 1 });
    expect(await deliveriesOf(ctx, webhook)).toMatchObject([
      { status: 'failed', attemptCount: 2, nextAttemptAt: null, finishedAt: expect.any(String) },
    ]);

    expect(await redeliver(ctx, webhook.id, event?.id ?? '')).toMatchObject({ status: 'pending' });
    // With the whole schedule ahead.
    expect(await sendOnce()).toMatchObject({ retried: 1 });
    there.answer = status(202);
    await makeDeliveriesDue(ctx);
    expect(await sendOnce()).toMatchObject({ succeeded: 1 });
    expect(await deliveriesOf(ctx, webhook)).toMatchObject([{ status: 'succeeded', attemptCount: 4 }]);
  });

  test('to answer in time is no longer waited for', async () => {
    await ctx.close();
    ctx = await webhookContext({ WEBHOOK_TIMEOUT_MS: '50' });
    const there = await receiver(() => {});
    const webhook = await subscribe(ctx, there.url);
    await newEvents(ctx, 1);
    expect(await sendOnce()).toMatchObject({ retried: 1 });
    const [delivery] = await deliveriesOf(ctx, webhook);
    expect(delivery?.attempts).toMatchObject([{ responseStatus: null, error: 'no answer within 50 ms' }]);
    // Neither is a name that is not resolved.
    const stuck = { ...ctx, resolveHost: () => new Promise<string[]>(() => {}) };
    await makeDeliveriesDue(ctx);
    expect(await sendOnce(stuck)).toMatchObject({ retried: 1 });
  });

  test('with 410 is disabled at once, with an event and a line in the log; what waits is kept', async () => {
    const there = await receiver(status(410));
    const webhook = await subscribe(ctx, `${there.url}?token=s3cret`, {});
    await newEvents(ctx, 7);
    expect(await sendOnce()).toMatchObject({ failed: 5 });
    const left = (await deliveriesOf(ctx, webhook)).map((delivery) => delivery.status);
    expect(left.sort()).toEqual([...Array(5).fill('failed'), 'pending', 'pending']);
    expect(await sendOnce()).toMatchObject({ failed: 0 });
    expect(await getWebhook(ctx.db, webhook.id)).toMatchObject({
      enabled: false,
      disabledReason: 'gone',
      version: 2,
    });
    await expectDisabledEvent(webhook.id, `127.0.0.1:${there.port}`, 'gone');
  });

  test('for too long is disabled, with an event and a line in the log; enabled again, it starts anew', async () => {
    const there = await receiver(status(500));
    const webhook = await subscribe(ctx, there.url, { retryDelaysSeconds: Array(20).fill(60) });
    await newEvents(ctx, 2);
    const passDays = (days: number) =>
      sql`update webhook_endpoints set failing_since = failing_since - ${days} * interval '1 day'`.execute(
        ctx.db,
      );
    const failTimes = async (times: number) => {
      for (let i = 0; i < times; i++) {
        await makeDeliveriesDue(ctx);
        await sendOnce();
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
    expect(await updateWebhook(ctx, webhook.id, { enabled: true }, null)).toMatchObject({
      enabled: true,
      disabledReason: null,
      failingSince: null,
      version: 3,
    });
    expect(await sendOnce()).toMatchObject({ succeeded: 2 });
  });

  async function expectDisabledEvent(id: string, host: string, reason: string) {
    const rows = await ctx.db
      .selectFrom('outbox')
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
      const there = await receiver(status(code, { 'retry-after': '600' }));
      const other = await receiver();
      const webhook = await subscribe(ctx, there.url);
      await subscribe(ctx, other.url);
      await newEvents(ctx, 1);
      await sendOnce();
      await newEvents(ctx, 3);
      await sendOnce();
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
    const there = await receiver(status(503, { 'retry-after': 'Fri, 01 Jan 2100 00:00:00 GMT' }));
    await subscribe(ctx, there.url);
    await newEvents(ctx, 1);
    await sendOnce();
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

describe('an answer', () => {
  test('that redirects is a failure, and is not followed', async () => {
    const inner = await receiver();
    const there = await receiver(status(307, { location: inner.url }));
    const webhook = await subscribe(ctx, there.url);
    await newEvents(ctx, 1);
    expect(await sendOnce()).toMatchObject({ retried: 1 });
    expect(inner.connections).toBe(0);
    expect((await deliveriesOf(ctx, webhook))[0]?.attempts).toMatchObject([
      { responseStatus: 307, error: 'redirects are not followed' },
    ]);
  });

  test('without end is cut off, and its status counts', async () => {
    let closed: Promise<unknown> | undefined;
    const there = await receiver((response) => {
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
    expect(await sendOnce()).toMatchObject({ succeeded: 1 });
    await closed;
    const excerpt = (await deliveriesOf(ctx, webhook))[0]?.attempts[0]?.response ?? '';
    expect(excerpt).toMatch(/^(\uFFFDé)+\uFFFD*$/);
    expect(excerpt.length).toBeLessThanOrEqual(1024);
  });

  test('whose body does not end in time counts by its status', async () => {
    await ctx.close();
    ctx = await webhookContext({ WEBHOOK_TIMEOUT_MS: '100' });
    const there = await receiver((response) => void response.writeHead(200).write('wait'));
    const webhook = await subscribe(ctx, there.url);
    await newEvents(ctx, 1);
    expect(await sendOnce()).toMatchObject({ succeeded: 1 });
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
    const there = await receiver(answer);
    const webhook = await subscribe(ctx, there.url);
    await newEvents(ctx, 1);
    expect(await sendOnce()).toMatchObject({ retried: 1 });
    expect((await deliveriesOf(ctx, webhook))[0]?.attempts[0]?.error).toMatch(error);
  });
});

describe('an address', () => {
  const at = (...answers: string[][]) => {
    const asked: string[] = [];
    const resolveHost = async (hostname: string) => {
      asked.push(hostname);
      return answers[asked.length - 1] ?? [];
    };
    return { asked, context: { ...ctx, resolveHost } };
  };

  test.each([
    ['a private one', ['10.0.0.1']],
    ['the metadata service', ['169.254.169.254']],
    ['loopback in IPv6', ['::1']],
    ['loopback, mapped', ['::ffff:10.0.0.1']],
    ['a private one among others', ['127.0.0.1', '192.168.0.1']],
    ['none', []],
    ['nonsense', ['receiver']],
  ])('that a name resolves to and that is %s is refused, without a connection', async (_name, addresses) => {
    const there = await receiver();
    const webhook = await subscribe(ctx, `http://receiver.example:${there.port}/`);
    await newEvents(ctx, 1);
    expect(await sendOnce(at(addresses).context)).toMatchObject({ retried: 1 });
    expect(there.connections).toBe(0);
    expect((await deliveriesOf(ctx, webhook))[0]?.attempts).toMatchObject([
      { responseStatus: null, error: 'its address is not public' },
    ]);
  });

  test('that was allowed when the endpoint was made, and is not any more, is refused', async () => {
    const there = await receiver();
    await subscribe(ctx, there.url);
    await newEvents(ctx, 1);
    const strict = { ...ctx.config, webhooks: { ...ctx.config.webhooks, allowedNetworks: [] } };
    expect(await sendOnce({ ...ctx, config: strict })).toMatchObject({ retried: 1 });
    expect(there.connections).toBe(0);
  });

  test('in public gets nothing without TLS', async () => {
    const webhook = await subscribe(ctx, 'http://receiver.example/');
    await newEvents(ctx, 1);
    expect(await sendOnce(at(['192.0.1.1']).context)).toMatchObject({ retried: 1 });
    expect((await deliveriesOf(ctx, webhook))[0]?.attempts[0]?.error).toMatch('only https');
  });

  test('is asked for once and is the one that is used, so a name that changes its mind gets nowhere', async () => {
    const there = await receiver();
    await subscribe(ctx, `http://receiver.example:${there.port}/`);
    await newEvents(ctx, 1);
    // Nothing but our own resolver knows this name: a second look-up, by whomever, would fail.
    const name = at(['127.0.0.1'], ['169.254.169.254']);
    expect(await sendOnce(name.context)).toMatchObject({ succeeded: 1 });
    expect(name.asked).toEqual(['receiver.example']);
    expect(there.messages[0]?.headers.host).toBe(`receiver.example:${there.port}`);

    await newEvents(ctx, 1);
    expect(await sendOnce(name.context)).toMatchObject({ retried: 1 });
    expect(there.connections).toBe(1);
  });

  test('is spoken to with TLS in the name of the host, and trusted only with a certificate of that name', async () => {
    let asked = '';
    // Without a certificate: what the client asks for comes before it can refuse one.
    const server = createTlsServer({
      SNICallback: (name, done) => {
        asked = name;
        done(null);
      },
    });
    server.on('tlsClientError', () => {});
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await subscribe(ctx, `https://receiver.example:${port}/`);
    await newEvents(ctx, 1);
    expect(await sendOnce(at(['127.0.0.1']).context)).toMatchObject({ retried: 1 });
    expect(asked).toBe('receiver.example');
    server.close();
  });
});

describe('several endpoints', () => {
  test('one that hangs and one that fails take nothing from the others', async () => {
    const hanging: ServerResponse[] = [];
    const slow = await receiver((response) => void hanging.push(response));
    const failing = await receiver(status(500));
    const fine = [await receiver(), await receiver()];
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

  test('a failing one gets one delivery at a time', async () => {
    let under = 0;
    let most = 0;
    const there = await receiver((response) => {
      under += 1;
      most = Math.max(most, under);
      setImmediate(() => {
        under -= 1;
        status(500)(response, { headers: {}, body: '' });
      });
    });
    await subscribe(ctx, there.url);
    await newEvents(ctx, 1);
    await sendOnce();
    await newEvents(ctx, 20);
    await sendUntil(ctx, () => there.messages.length === 21);
    expect(most).toBe(1);
  });

  test('a backlog of one does not come before the others', async () => {
    const busy = await receiver();
    const quiet = await receiver();
    const webhook = await subscribe(ctx, busy.url);
    await newEvents(ctx, 300);
    const other = await subscribe(ctx, quiet.url);
    await sendTest(ctx, other.id);
    expect(await sendOnce()).toMatchObject({ succeeded: 6 });
    expect([busy.messages.length, quiet.messages.length]).toEqual([5, 1]);
    await sendUntil(ctx, async () => busy.messages.length === 300);
    expect((await deliveriesOf(ctx, webhook)).every(({ status: now }) => now === 'succeeded')).toBe(true);
  });

  test('however many hang, those that work have places of their own', async () => {
    await ctx.close();
    ctx = await webhookContext({ WEBHOOK_CONCURRENCY: '2' });
    const responses: ServerResponse[] = [];
    const hanging = await receiver((response) => void responses.push(response));
    const broken = await receiver(status(500));
    const webhooksThatHang = await Promise.all([1, 2, 3, 4].map(() => subscribe(ctx, broken.url)));
    await newEvents(ctx, 1);
    await sendUntil(ctx, () => broken.messages.length === 4);
    for (const { id } of webhooksThatHang) {
      await ctx.db.updateTable('webhook_endpoints').set({ url: hanging.url }).where('id', '=', id).execute();
    }
    await makeDeliveriesDue(ctx);
    const fine = await receiver();
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

describe('several senders, and those that end', () => {
  test('send each delivery once', async () => {
    const theirs = await Promise.all([1, 2, 3].map(() => receiver()));
    for (const { url } of theirs) await subscribe(ctx, url);
    const events = await newEvents(ctx, 100);
    const reports = await sendUntil(ctx, () => theirs.every(({ messages }) => messages.length >= 100), 4);
    expect(reports.reduce((sum, report) => sum + report.succeeded, 0)).toBe(300);
    for (const there of theirs) {
      expect(idsAt(there).sort()).toEqual(events.map(({ id }) => id).sort());
    }
  });

  test('a retry survives a restart: the next sender has it', async () => {
    const there = await receiver(status(503));
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
    const there = await receiver();
    await subscribe(ctx, there.url);
    await newEvents(ctx, 2);
    const limits = { working: 10, failing: 10, perEndpoint: 5 };
    expect(await claimDeliveries(ctx.db, limits, 60_000)).toHaveLength(2);
    expect(await sendOnce()).toMatchObject({ succeeded: 0 });
    await makeDeliveriesDue(ctx);
    expect(await sendOnce()).toMatchObject({ succeeded: 2 });
  });

  test('a sender whose claim had run out does not overwrite what the next one found', async () => {
    let first: ServerResponse | undefined;
    const there = await receiver((response) => {
      first = response;
    });
    const webhook = await subscribe(ctx, there.url);
    await newEvents(ctx, 1);
    const late = sendOnce();
    while (!first) await new Promise((resolve) => setImmediate(resolve));
    await makeDeliveriesDue(ctx);
    there.answer = status(204);
    expect(await sendOnce()).toMatchObject({ succeeded: 1 });
    first.writeHead(500).end();
    expect(await late).toMatchObject({ lost: 1 });
    expect(await deliveriesOf(ctx, webhook)).toMatchObject([{ status: 'succeeded', attemptCount: 2 }]);
    expect(await getWebhook(ctx.db, webhook.id)).toMatchObject({ failingSince: null });
  });

  test('a delivery that is under way is not sent a second time on demand', async () => {
    let first: ServerResponse | undefined;
    const there = await receiver((response) => {
      first = response;
    });
    const webhook = await subscribe(ctx, there.url);
    const [event] = await newEvents(ctx, 1);
    const run = sendOnce();
    while (!first) await new Promise((resolve) => setImmediate(resolve));
    await redeliver(ctx, webhook.id, event?.id ?? '');
    expect(await sendOnce()).toMatchObject({ succeeded: 0 });
    first.writeHead(204).end();
    expect(await run).toMatchObject({ succeeded: 1 });
    expect(there.messages).toHaveLength(1);
  });

  test('an event goes out while the sender is idle', async () => {
    const there = await receiver();
    await subscribe(ctx, there.url);
    const run = sendUntil(ctx, () => there.messages.length === 2);
    await newEvents(ctx, 1);
    await newEvents(ctx, 1);
    await run;
  });
});

test('purges what ended long ago, and what nobody wants any more, a batch at a time', async () => {
  const there = await receiver();
  const webhook = await subscribe(ctx, there.url);
  const given = await subscribe(ctx, there.url);
  await newEvents(ctx, 5);
  await updateWebhook(ctx, given.id, { enabled: false }, null);
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
