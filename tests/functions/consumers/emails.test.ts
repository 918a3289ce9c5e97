import { sql } from 'kysely';
import { handler as forgotPassword } from '../../../functions/auth/forgot-password';
import { emails } from '../../../functions/consumers/emails';
import { handler as changePassword } from '../../../functions/users/change-password';
import { consumer } from '../../../shared/consumers/consumer';
import { sendEventMail } from '../../../shared/emails/send-event-mail';
import type { EventType, UserEvent } from '../../../shared/events/catalog';
import { consume } from '../../setup/consume';
import { requestOwnExport } from '../../setup/erasures';
import { call } from '../../setup/http';
import { type MailContext, mailContext } from '../../setup/mail-flow';
import { startMailServer, tokenIn } from '../../setup/mail-server';
import { PASSWORD, registerPerson, registration } from '../../setup/people';

let flow: MailContext;

beforeEach(async () => {
  flow = await mailContext();
});
afterEach(() => flow.close());

const handler = () => emails(() => flow.ctx);

/** An event as another function would have written it. */
function event<T extends EventType>(type: T, userId: string, data: UserEvent<T>['data']): UserEvent {
  return {
    specversion: '1.0',
    id: flow.ctx.newId(),
    source: 'rollcall',
    type,
    subject: userId,
    time: flow.ctx.now().toISOString(),
    datacontenttype: 'application/json',
    sequence: '0000000002',
    data,
  } as UserEvent;
}

async function changeUser(id: string, change: Record<string, unknown>): Promise<void> {
  await flow.ctx.db.updateTable('users').set(change).where('id', '=', id).execute();
}

const tokens = () => flow.ctx.db.selectFrom('email_tokens').selectAll().execute();

describe('user.created', () => {
  test('asks the user to confirm the address', async () => {
    const { user } = await registerPerson(flow.ctx);
    const [mail, ...others] = await flow.deliver();
    expect(others).toEqual([]);
    expect(mail).toMatchObject({
      recipients: [user.email],
      from: { name: 'Rollcall', address: 'no-reply@rollcall.example' },
      to: [{ name: user.username, address: user.email }],
      subject: 'Confirm your email address for Rollcall',
    });
    const link = `https://app.example.com/verify-email?token=${tokenIn(mail)}`;
    expect(mail?.text).toContain(`\n${link}\n`);
    expect(mail?.text).toContain('once and expires in 24 hours');
    expect(mail?.html).toContain(`href="${link}"`);
    const [created] = await flow.eventsOf(user.id);
    expect(mail?.messageId).toBe(`<${created?.id}@rollcall.example>`);
    expect(mail?.headers).toContainEqual(
      expect.objectContaining({ key: 'auto-submitted', value: 'auto-generated' }),
    );
  });

  test('stores the token as its hash, for a day, and nowhere in clear', async () => {
    const { user } = await registerPerson(flow.ctx);
    const [mail] = await flow.deliver();
    const token = tokenIn(mail);
    expect(token).toMatch(/^[\w-]{43}$/);
    const [row] = await tokens();
    expect(row).toMatchObject({ user_id: user.id, purpose: 'verify_email', address: user.email });
    expect(row?.expires_at.getTime()).toBe(flow.ctx.clock.now.getTime() + 24 * 3600 * 1000);
    const events = await flow.ctx.db.selectFrom('events').selectAll().execute();
    expect(JSON.stringify([row, events, flow.ctx.logged])).not.toContain(token);
    expect(JSON.stringify(flow.ctx.logged)).not.toContain(user.email);
  });

  test('sends nothing to a user who has no address, has verified it, or is gone', async () => {
    const without = await registerPerson(flow.ctx);
    await changeUser(without.user.id, { email: null });
    const verified = await registerPerson(flow.ctx);
    await changeUser(verified.user.id, { email_verified: true });
    const gone = await registerPerson(flow.ctx);
    await flow.ctx.db.deleteFrom('users').where('id', '=', gone.user.id).execute();
    expect(await flow.deliver()).toEqual([]);
    expect(await tokens()).toEqual([]);
  });

  test('leaves an address that has changed already to the event of that change', async () => {
    const { user } = await registerPerson(flow.ctx);
    await changeUser(user.id, { email: `new-${user.email}` });
    expect(await flow.deliver()).toEqual([]);
  });
});

describe('user.updated', () => {
  test('asks to confirm a new address, and voids the links sent to the old one', async () => {
    const { user } = await registerPerson(flow.ctx);
    await flow.deliver();
    const email = `new-${user.email}`;
    await changeUser(user.id, { email });
    const changes = { email: { from: user.email, to: email } };
    const updated = event('user.updated', user.id, { id: user.id, username: user.username, email, changes });
    await consume(handler(), [updated]);
    expect(flow.server.mails).toHaveLength(2);
    expect(flow.server.mails[1]?.recipients).toEqual([email]);
    expect(await tokens()).toMatchObject([{ address: email }]);
  });

  test('of anything else sends nothing', async () => {
    const { user } = await registerPerson(flow.ctx);
    const changes = { displayName: { from: null, to: 'G.' } };
    const { id, username, email } = user;
    await consume(handler(), [event('user.updated', id, { id, username, email, changes })]);
    expect(flow.server.mails).toEqual([]);
  });
});

test('user.verification_requested sends another link; the first still works until one is used', async () => {
  const { user } = await registerPerson(flow.ctx);
  await flow.deliver();
  await consume(handler(), [event('user.verification_requested', user.id, { id: user.id })]);
  const [first, second] = flow.server.mails;
  expect(tokenIn(first)).not.toBe(tokenIn(second));
  expect(await tokens()).toHaveLength(2);
});

describe('user.export_ready', () => {
  const ready = async (caseId: string, userId: string) => {
    await consume(handler(), [event('user.export_ready', userId, { id: userId, caseId })]);
    return flow.server.mails;
  };

  test('tells a verified address, with a link that nobody can use without signing in', async () => {
    const person = await registerPerson(flow.ctx);
    await changeUser(person.user.id, { email_verified: true });
    const { id } = await requestOwnExport(flow.ctx, person);
    const [mail] = await ready(id, person.user.id);
    expect(mail).toMatchObject({
      recipients: [person.user.email],
      subject: 'Your data from Rollcall is ready',
    });
    expect(mail?.text).toContain(`https://app.example.com/export?id=${id}\n`);
    expect(mail?.text).not.toMatch(/token|have not answered/);
    const { rows } = await sql`select from event_history where kind = 'mail_sent'`.execute(flow.ctx.db);
    expect(rows).toHaveLength(1);
  });

  test('says that some have not answered', async () => {
    const person = await registerPerson(flow.ctx);
    await changeUser(person.user.id, { email_verified: true });
    const { id } = await requestOwnExport(flow.ctx, person);
    await sql`
      insert into export_receipts (case_id, holder, due_at) values (${id}, 'crm', ${flow.ctx.now()})`.execute(
      flow.ctx.db,
    );
    const [mail] = await ready(id, person.user.id);
    expect(mail?.text).toContain('have not answered in time');
  });

  test('sends nothing to an unverified address, of an export that is over, or to nobody', async () => {
    const person = await registerPerson(flow.ctx);
    const { id } = await requestOwnExport(flow.ctx, person);
    expect(await ready(id, person.user.id)).toEqual([]);
    await changeUser(person.user.id, { email_verified: true });
    await sql`update export_cases set expires_at = ${flow.ctx.now()}`.execute(flow.ctx.db);
    expect(await ready(id, person.user.id)).toEqual([]);
    await flow.ctx.db.deleteFrom('users').where('id', '=', person.user.id).execute();
    expect(await ready(id, person.user.id)).toEqual([]);
  });
});

describe('user.email_verified', () => {
  test('welcomes once, by the name that the user has chosen', async () => {
    const { user } = await registerPerson(flow.ctx, { displayName: 'Gorden F.' });
    await changeUser(user.id, { email_verified: true });
    await consume(handler(), [event('user.email_verified', user.id, { id: user.id })]);
    await consume(handler(), [event('user.email_verified', user.id, { id: user.id })]);
    expect(flow.server.mails).toHaveLength(1);
    expect(flow.server.mails[0]).toMatchObject({
      subject: 'Welcome to Rollcall',
      to: [{ name: 'Gorden F.', address: user.email }],
      text: expect.stringContaining('Hello Gorden F.,'),
    });
  });

  test('sends nothing where the address has changed since', async () => {
    const { user } = await registerPerson(flow.ctx);
    await consume(handler(), [event('user.email_verified', user.id, { id: user.id })]);
    expect(flow.server.mails).toEqual([]);
  });
});

describe('notices', () => {
  const notice = async (type: EventType, data: (user: { id: string; username: string }) => object) => {
    const { user } = await registerPerson(flow.ctx, { displayName: 'Gorden F.' });
    await changeUser(user.id, { email_verified: true, pending_email: 'pending@example.com' });
    await consume(handler(), [event(type, user.id, data(user) as UserEvent['data'])]);
    expect(flow.server.mails.map((mail) => mail.recipients)).toEqual([[user.email]]);
    const [mail] = flow.server.mails;
    expect(mail?.text).toContain('Hello Gorden F.,');
    expect(mail?.text).not.toContain('token=');
    return mail;
  };

  test('of another password go to the address in use, not to the one that waits', async () => {
    const mail = await notice('user.password_changed', ({ id }) => ({ id }));
    expect(mail?.subject).toBe('Your password for Rollcall was changed');
  });

  test('of another role say which', async () => {
    const mail = await notice('user.role_changed', ({ id }) => ({ id, from: 'user', to: 'admin' }));
    expect(mail?.subject).toBe('Your role in Rollcall was changed');
    expect(mail?.text).toContain('Before: user\nNow: admin');
  });

  test.each([
    [null, 'You cannot log in for now.'],
    ['2026-12-31T22:59:30.000Z', 'You can log in again from 31 December 2026, 22:59 UTC.'],
  ])('of a suspension until %s', async (until, text) => {
    const mail = await notice('user.suspended', ({ id }) => ({ id, until }));
    expect(mail?.subject).toBe('Your Rollcall account is suspended');
    expect(mail?.text).toContain(text);
  });

  test('of its end', async () => {
    const mail = await notice('user.restored', ({ id }) => ({ id }));
    expect(mail?.subject).toBe('You can use your Rollcall account again');
  });

  test('of another username', async () => {
    const mail = await notice('user.updated', ({ id, username }) => ({
      id,
      username,
      email: 'x@example.com',
      changes: { username: { from: 'before', to: username } },
    }));
    expect(mail?.subject).toBe('Your username for Rollcall was changed');
  });

  test('of a username in other case, and to those who have no address or are gone: none', async () => {
    const { user } = await registerPerson(flow.ctx, { username: 'Gorden' });
    const updated = { id: user.id, username: 'Gorden', email: user.email };
    const changes = { username: { from: 'gorden', to: 'Gorden' } };
    await consume(handler(), [event('user.updated', user.id, { ...updated, changes })]);
    await changeUser(user.id, { email: null });
    const gone = flow.ctx.newId();
    await consume(handler(), [
      event('user.password_changed', user.id, { id: user.id }),
      event('user.password_changed', gone, { id: gone }),
      event('user.email_changed', gone, { id: gone, from: 'a@example.com', to: 'b@example.com' }),
      event('user.email_change_requested', gone, { id: gone }),
    ]);
    expect(flow.server.mails).toEqual([]);
  });

  test('of an address that is no longer to change: none', async () => {
    const { user } = await registerPerson(flow.ctx);
    await consume(handler(), [event('user.email_change_requested', user.id, { id: user.id })]);
    expect(flow.server.mails).toEqual([]);
  });
});

test('user.password_reset_requested sends a reset link for an hour', async () => {
  const { user } = await registerPerson(flow.ctx);
  await consume(handler(), [event('user.password_reset_requested', user.id, { id: user.id })]);
  const [mail] = flow.server.mails;
  expect(mail).toMatchObject({ recipients: [user.email], subject: 'Choose a new password for Rollcall' });
  expect(mail?.text).toContain(`https://app.example.com/reset-password?token=${tokenIn(mail)}`);
  expect(mail?.text).toContain('once and expires in 1 hour.');
  const [row] = await tokens();
  expect(row).toMatchObject({ purpose: 'reset_password', password_digest: expect.any(Buffer) });
  expect(row?.expires_at.getTime()).toBe(flow.ctx.clock.now.getTime() + 3600 * 1000);
});

test('every token that is made clears away some that have expired', async () => {
  const old = await registerPerson(flow.ctx);
  await flow.deliver();
  flow.ctx.clock.now = new Date(flow.ctx.clock.now.getTime() + 24 * 3600 * 1000);
  const { user } = await registerPerson(flow.ctx);
  await flow.deliver();
  const left = await tokens();
  expect(left.map((row) => row.user_id)).toEqual([user.id]);
  expect(left[0]?.user_id).not.toBe(old.user.id);
});

describe('what users write', () => {
  const NASTY = 'Eve <script>alert(1)</script>\r\nBcc: victim@example.com\r\n\r\nbuy';

  test('is escaped in the HTML and stays on one line', async () => {
    const { user } = await registerPerson(flow.ctx, { displayName: NASTY });
    await changeUser(user.id, { email_verified: true });
    await consume(handler(), [event('user.email_verified', user.id, { id: user.id })]);
    const [mail] = flow.server.mails;
    expect(mail?.recipients).toEqual([user.email]);
    expect(mail?.html).not.toContain('<script');
    expect(mail?.html).toContain('Eve &lt;script&gt;alert(1)&lt;/script&gt; Bcc: victim@example.com buy');
    expect(mail?.headers.map((header) => header.key)).not.toContain('bcc');
    expect(mail?.text).toContain('Hello Eve <script>alert(1)</script> Bcc: victim@example.com buy,');
  });

  test('reaches no mailbox that has not been confirmed', async () => {
    const { user } = await registerPerson(flow.ctx, { displayName: NASTY });
    const [mail] = await flow.deliver();
    expect(mail?.raw).not.toContain('buy');
    expect(mail?.to).toEqual([{ name: user.username, address: user.email }]);
  });
});

test('a username that is a host name is in no mail before the address is proven', async () => {
  const username = `evil-${registration().username}.example`.slice(-32);
  const { user } = await registerPerson(flow.ctx, { username });
  await consume(handler(), [event('user.password_reset_requested', user.id, { id: user.id })]);
  await flow.deliver();
  expect(flow.server.mails).toHaveLength(2);
  for (const mail of flow.server.mails) {
    expect(`${mail.subject} ${mail.text} ${mail.html}`).not.toContain(username);
    expect(mail.text).toContain('Hello there,');
    expect(mail.to).toEqual([{ name: '', address: user.email }]);
  }
});

describe('delivery', () => {
  test('the same event again sends nothing', async () => {
    const { user } = await registerPerson(flow.ctx);
    const [created] = await flow.eventsOf(user.id);
    const twice = created ? [created, created] : [];
    await consume(handler(), twice);
    await consume(handler(), twice);
    expect(flow.server.mails).toHaveLength(1);
  });

  test('two copies at the same moment send one mail', async () => {
    const { user } = await registerPerson(flow.ctx);
    const events = await flow.eventsOf(user.id);
    await Promise.all([consume(handler(), events), consume(handler(), events)]);
    expect(flow.server.mails).toHaveLength(1);
  });

  test.each([451, 550])(
    'a mail refused with %i fails alone, and is sent at the next attempt',
    async (code) => {
      const [first, refused, last] = [
        await registerPerson(flow.ctx),
        await registerPerson(flow.ctx),
        await registerPerson(flow.ctx),
      ];
      const events = await flow.eventsOf(first.user.id, refused.user.id, last.user.id);
      flow.server.refuse = { code, address: refused.user.email };
      const result = await consume(handler(), events);
      expect(result.batchItemFailures).toEqual([
        {
          itemIdentifier: events[1]?.id,
          reason: expect.stringContaining('EENVELOPE'),
          ...(code === 550 && { final: true }),
        },
      ]);
      expect(result.batchItemFailures[0]?.reason).toContain(`${code} No luck for <[address]>`);
      expect(JSON.stringify([result, flow.ctx.logged])).not.toContain(refused.user.email);

      flow.server.refuse = undefined;
      expect((await consume(handler(), events)).batchItemFailures).toEqual([]);
      const recipients = flow.server.mails.map((mail) => mail.recipients[0]);
      expect(recipients).toEqual([first, last, refused].map((person) => person.user.email));
    },
  );

  test.each<[number, string, boolean]>([
    [550, 'No such user', true],
    [550, '5.1.1 No such user', true],
    [501, 'Syntax error in recipient address', true],
    [501, '5.1.3 Bad recipient address syntax', true],
    [501, '5.5.4 Invalid argument', true],
    [501, '5.1.7 Bad sender address syntax', false],
    [551, 'User not local', true],
    [553, '5.1.3 Bad address', true],
    [556, '5.1.10 The domain takes no mail', true],
    [550, '5.2.1 Mailbox disabled', true],
    [550, '5.1.8 The sender has no domain', false],
    [550, '5.7.1 Blocked for spam', false],
    [552, '5.2.2 Mailbox full', false],
    [554, '5.7.1 Relay access denied', false],
    [503, 'Bad sequence of commands', false],
    [450, '4.2.1 Mailbox busy', false],
    [451, 'Greylisted', false],
  ])('after %i %s, no further attempt can help: %s', async (code, text, final) => {
    const { user } = await registerPerson(flow.ctx);
    flow.server.refuse = { code, text };
    const { batchItemFailures } = await consume(handler(), await flow.eventsOf(user.id));
    expect(batchItemFailures.map((failure) => failure.final ?? false)).toEqual([final]);
    expect(batchItemFailures[0]?.reason).toContain(`${code} ${text}`);
  });

  test('a server that is down fails the whole batch quickly; once it is back, all of it is sent', async () => {
    const people = await Promise.all(Array.from({ length: 3 }, () => registerPerson(flow.ctx)));
    const events = await flow.eventsOf(...people.map((person) => person.user.id));
    await flow.server.stop();
    const { batchItemFailures } = await consume(handler(), events);
    expect(batchItemFailures.map((failure) => failure.itemIdentifier)).toEqual(events.map(({ id }) => id));
    expect(batchItemFailures[0]?.reason).toContain('ECONNREFUSED');
    expect(batchItemFailures[1]?.reason).toContain('a moment ago');
    expect(await tokens()).toEqual([]);

    const back = await startMailServer(Number(new URL(flow.server.url).port));
    flow.ctx.clock.now = new Date(flow.ctx.clock.now.getTime() + 5_000);
    expect((await consume(handler(), events)).batchItemFailures).toEqual([]);
    expect(back.mails).toHaveLength(3);
    await back.stop();
  });

  test('behind Amazon MQ, a mail that fails makes the call throw, and repeats none that was sent', async () => {
    const [good, bad] = [await registerPerson(flow.ctx), await registerPerson(flow.ctx)];
    const events = await flow.eventsOf(good.user.id, bad.user.id);
    flow.server.refuse = { code: 451, address: bad.user.email };
    await expect(consume(handler(), events, 'arn:aws:mq:broker')).rejects.toThrow('1 of the batch');
    flow.server.refuse = undefined;
    await consume(handler(), events, 'arn:aws:mq:broker');
    expect(flow.server.mails.map((mail) => mail.recipients[0])).toEqual([good.user.email, bad.user.email]);
  });

  test('a slow mail server keeps nobody waiting who asks for another mail to the same address', async () => {
    const limited = await mailContext({ RATE_LIMITS: 'on' });
    const { ctx } = limited;
    const { user, accessToken: token } = await registerPerson(ctx);
    await limited.deliver();
    const body = { currentPassword: PASSWORD, newPassword: 'quite another password' };
    await call(changePassword, ctx, { method: 'PUT', params: { id: 'me' }, token, body });
    const { waiting, release } = limited.server.holdRecipients();
    const delivered = limited.deliver();
    await waiting;
    const asked = await call(forgotPassword, ctx, { method: 'POST', body: { email: user.email } });
    expect(asked.status).toBe(202);
    release();
    expect((await delivered).map(({ recipients }) => recipients[0])).toContain(user.email);
    await limited.close();
  });

  test('a mail that was not accepted when its handler’s time ended is not sent, however late it began', async () => {
    const { user } = await registerPerson(flow.ctx);
    const events = await flow.eventsOf(user.id);
    const timeoutMs = 2_003;
    const ctx = { ...flow.ctx, config: { ...flow.ctx.config, handlers: { timeoutMs } } };
    const slow = consumer(
      'emails',
      {
        '*': async (event, tx, handlerCtx) => {
          // A quarter of its time.
          await sql`select pg_sleep(0.5)`.execute(tx);
          const mail = { eventId: event.id, template: 'late' };
          const content = { subject: 'Late', text: 'Late', html: 'Late' };
          await sendEventMail(tx, handlerCtx, mail, { name: '', address: 'late@example.com' }, content);
        },
      },
      () => ctx,
      'each',
    );
    const { release } = flow.server.holdRecipients();
    expect((await consume(slow, events)).batchItemFailures).toHaveLength(1);
    release();
    flow.ctx.clock.now = new Date(flow.ctx.clock.now.getTime() + 5_000);
    await flow.deliver();
    expect(flow.server.mails.map((mail) => mail.recipients[0])).toEqual([user.email]);
  });

  test('without SMTP_URL an event fails and says so; with off it is done', async () => {
    const { user } = await registerPerson(flow.ctx);
    const events = await flow.eventsOf(user.id);
    const withUrl = (smtpUrl: 'off' | undefined) => ({
      ...flow.ctx,
      config: { ...flow.ctx.config, mail: { ...flow.ctx.config.mail, smtpUrl } },
    });
    const failed = await consume(
      emails(() => withUrl(undefined)),
      events,
    );
    expect(failed.batchItemFailures[0]?.reason).toContain('SMTP_URL is not set');
    const off = await consume(
      emails(() => withUrl('off')),
      events,
    );
    expect(off.batchItemFailures).toEqual([]);
    expect(flow.server.mails).toEqual([]);
  });
});
