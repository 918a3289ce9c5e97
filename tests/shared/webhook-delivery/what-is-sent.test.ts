import { sql } from 'kysely';
import { webhooks } from '../../../functions/consumers/webhooks';
import { handler as deleteUser } from '../../../functions/users/delete-user';
import { deleteLocked } from '../../../shared/accounts/delete-user';
import { NOBODY } from '../../../shared/events/origin';
import { lockUserRow } from '../../../shared/users/user-store';
import { testWebhook } from '../../../shared/webhook-delivery/test-webhook';
import { getWebhook } from '../../../shared/webhooks/get-webhook';
import { rotateWebhookSecret } from '../../../shared/webhooks/rotate-webhook-secret';
import { consume } from '../../setup/consume';
import { untilLockIsAwaited } from '../../setup/database';
import { storedEvents } from '../../setup/events';
import { call } from '../../setup/http';
import { type Person, registerPerson } from '../../setup/people';
import { idsAt, verified } from '../../setup/receiver';
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

describe('what is sent', () => {
  test('verifies with the reference library, and is the event', async () => {
    const there = await ctx.receiver();
    const webhook = await subscribe(ctx, there.url);
    const [event] = await newEvents(ctx, 1);
    expect(await sendOnce(ctx)).toEqual({ succeeded: 1, retried: 0, failed: 0, lost: 0 });

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
    const there = await ctx.receiver();
    const webhook = await subscribe(ctx, there.url);
    const rotated = await rotateWebhookSecret(ctx, webhook.id, null, NOBODY);
    await newEvents(ctx, 1);
    await sendOnce(ctx);
    const before = there.messages.at(-1);
    expect(verified(webhook.secret, before)).toEqual(verified(rotated.secret, before));

    await sql`update webhook_endpoints set previous_secret_expires_at = now()`.execute(ctx.db);
    await newEvents(ctx, 1);
    await sendOnce(ctx);
    const after = there.messages.at(-1);
    expect(verified(rotated.secret, after)).toMatchObject({ type: 'user.created' });
    expect(() => verified(webhook.secret, after)).toThrow('No matching signature');
  });

  describe('of a user who is deleted', () => {
    const handled = async () =>
      consume(
        webhooks(() => ctx),
        await storedEvents(ctx),
      );
    const remove = ({ user, accessToken: token }: Person) =>
      call(deleteUser, ctx, { method: 'DELETE', params: { id: user.id }, token });

    test('before it is sent, says nothing of them', async () => {
      const there = await ctx.receiver();
      const webhook = await subscribe(ctx, there.url);
      const person = await registerPerson(ctx);
      await handled();
      await remove(person);
      await sendOnce(ctx);
      const [created] = there.messages.map((message) => verified(webhook.secret, message));
      expect(created).toMatchObject({ type: 'user.created', data: { id: person.user.id, email: null } });
      expect(there.messages.map(({ body }) => body).join()).not.toContain(person.user.username);
    });

    test('after it was sent, has the answers erased, which may repeat it', async () => {
      const there = await ctx.receiver((response, { body }) => void response.writeHead(500).end(body));
      const webhook = await subscribe(ctx, there.url);
      const person = await registerPerson(ctx);
      await handled();
      for (let attempt = 0; attempt < 2; attempt++) {
        await makeDeliveriesDue(ctx);
        await sendOnce(ctx);
      }
      const log = async () => (await deliveriesOf(ctx, webhook)).at(-1)?.attempts;
      expect(JSON.stringify(await log())).toContain(person.user.username);
      await remove(person);
      expect(await log()).toMatchObject([
        { attempt: 1, responseStatus: 500, response: null },
        { attempt: 2, responseStatus: 500, response: null },
      ]);
    });

    test('of a user who is deleted while the endpoint answers, keeps no answer', async () => {
      let answering = async () => {};
      const there = await ctx.receiver((response, { body }) => {
        void answering().then(() => response.writeHead(500).end(body));
      });
      const webhook = await subscribe(ctx, there.url);
      const person = await registerPerson(ctx);
      await handled();
      answering = async () => void (await remove(person));
      await sendOnce(ctx);
      expect((await deliveriesOf(ctx, webhook)).at(-1)?.attempts).toMatchObject([
        { attempt: 1, responseStatus: 500, response: null },
      ]);
    });

    test.each([200, 500])(
      'whose deletion is under way when status %i arrives, keeps no answer',
      async (code) => {
        const person = await registerPerson(ctx);
        let echo: (() => void) | undefined;
        const there = await ctx.receiver((response, { body }) => {
          if (body.includes(person.user.username)) echo = () => void response.writeHead(code).end(body);
          else response.writeHead(204).end();
        });
        const webhook = await subscribe(ctx, there.url);
        await handled();
        const sent = sendOnce(ctx);
        while (!echo) await new Promise((resolve) => setImmediate(resolve));
        const answer = echo;
        await ctx.db.transaction().execute(async (tx) => {
          const user = await lockUserRow(tx, person.user.id);
          if (!user) throw new Error('There is no such user');
          await deleteLocked(tx, ctx, user, NOBODY);
          answer();
          await untilLockIsAwaited(ctx);
        });
        await sent;
        expect((await deliveriesOf(ctx, webhook)).at(-1)?.attempts).toMatchObject([
          { attempt: 1, responseStatus: code, response: null },
        ]);
      },
    );
  });

  test('is nothing where the log does not hold the event any more, and the endpoint is not to blame', async () => {
    const there = await ctx.receiver();
    const webhook = await subscribe(ctx, there.url);
    await newEvents(ctx, 1);
    await ctx.db.deleteFrom('events').execute();
    expect(await sendOnce(ctx)).toMatchObject({ failed: 1 });
    expect((await deliveriesOf(ctx, webhook))[0]?.attempts[0]?.error).toMatch('no longer in the event log');
    expect(there.connections).toBe(0);
    expect(await getWebhook(ctx.db, webhook.id)).toMatchObject({ failingSince: null });
  });

  test('is a test where one is asked for, whatever the endpoint subscribes to', async () => {
    const there = await ctx.receiver();
    const webhook = await subscribe(ctx, there.url, { eventTypes: ['user.deleted'] });
    const { id } = await testWebhook(ctx, webhook.id, NOBODY);
    await sendOnce(ctx);
    expect(verified(webhook.secret, there.messages[0])).toEqual({
      type: 'webhook.test',
      timestamp: expect.any(String),
      data: { id: webhook.id },
    });
    expect(idsAt(there)).toEqual([id]);
  });
});
