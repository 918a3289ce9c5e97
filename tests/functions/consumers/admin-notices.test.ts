import { adminNotices } from '../../../functions/consumers/admin-notices';
import { consume } from '../../setup/consume';
import { type MailContext, mailContext } from '../../setup/mail-flow';
import { registerPerson } from '../../setup/people';

let flow: MailContext;

afterEach(() => flow.close());

const handler = () => adminNotices(() => flow.ctx);

test('tells every address in ADMIN_NOTIFY_EMAIL about a new user', async () => {
  flow = await mailContext({ ADMIN_NOTIFY_EMAIL: 'one@example.org, Two <two@example.org>' });
  const { user } = await registerPerson(flow.ctx, { displayName: '<b>Gorden</b>' });
  const events = await flow.eventsOf(user.id);
  await consume(handler(), events);
  const [mail, ...others] = flow.server.mails;
  expect(others).toEqual([]);
  expect(mail).toMatchObject({
    recipients: ['one@example.org', 'two@example.org'],
    subject: `New user at Rollcall: ${user.username}`,
    messageId: `<${events[0]?.id}.notice@rollcall.example>`,
  });
  expect(mail?.text).toContain(`Email: ${user.email}`);
  expect(mail?.html).toContain('&lt;b&gt;Gorden&lt;/b&gt;');
});

test('names with a comma or a colon are quoted in the headers, and are no further address or header', async () => {
  flow = await mailContext({
    MAIL_FROM: 'Acme: Accounts, Inc. (EU) <no-reply@acme.example>',
    ADMIN_NOTIFY_EMAIL: '"Doe, Jane" <jane@example.org>',
  });
  const { user } = await registerPerson(flow.ctx);
  await consume(handler(), await flow.eventsOf(user.id));
  expect(flow.server.mails.map(({ recipients }) => recipients)).toEqual([['jane@example.org']]);
  const [mail] = flow.server.mails;
  expect(mail?.raw).toContain('From: "Acme: Accounts, Inc. (EU)" <no-reply@acme.example>\r\n');
  expect(mail?.raw).toContain('To: "Doe, Jane" <jane@example.org>\r\n');
});

test('sends nothing where nobody asked for it', async () => {
  flow = await mailContext();
  const { user } = await registerPerson(flow.ctx);
  expect((await consume(handler(), await flow.eventsOf(user.id))).batchItemFailures).toEqual([]);
  expect(flow.server.mails).toEqual([]);
});

test('sends nothing about a user who is gone', async () => {
  flow = await mailContext({ ADMIN_NOTIFY_EMAIL: 'one@example.org' });
  const { user } = await registerPerson(flow.ctx);
  const events = await flow.eventsOf(user.id);
  await flow.ctx.db.deleteFrom('users').where('id', '=', user.id).execute();
  await consume(handler(), events);
  expect(flow.server.mails).toEqual([]);
});

test('a notice that is refused comes again, and the mail to the user knows nothing of it', async () => {
  flow = await mailContext({ ADMIN_NOTIFY_EMAIL: 'one@example.org' });
  const { user } = await registerPerson(flow.ctx);
  await flow.deliver();
  flow.server.refuse = { code: 552 };
  const events = await flow.eventsOf(user.id);
  expect((await consume(handler(), events)).batchItemFailures).toHaveLength(1);
  flow.server.refuse = undefined;
  await consume(handler(), events);
  expect(flow.server.mails.map((mail) => mail.recipients)).toEqual([[user.email], ['one@example.org']]);
});
