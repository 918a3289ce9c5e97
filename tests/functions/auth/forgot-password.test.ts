import { handler as forgotPassword } from '../../../functions/auth/forgot-password';
import { call } from '../../setup/http';
import { type MailContext, mailContext } from '../../setup/mail-flow';
import { outcomesOf } from '../../setup/outbox';
import { registerPerson } from '../../setup/people';

let flow: MailContext;

beforeAll(async () => {
  flow = await mailContext();
});
afterAll(() => flow.close());

const forgot = (body: unknown) =>
  call(forgotPassword, flow.ctx, { method: 'POST', path: '/forgot-password', body });

const resetEvents = () =>
  flow.ctx.db.selectFrom('events').selectAll().where('type', '=', 'user.password_reset_requested').execute();

test('asks for a reset mail, without regard to case, and leaves the event to the relay', async () => {
  const { user } = await registerPerson(flow.ctx);
  const { status, body } = await forgot({ email: user.email?.toUpperCase() });
  expect([status, body]).toEqual([202, { status: 'accepted' }]);
  const [row, ...others] = await resetEvents();
  expect(others).toEqual([]);
  expect(row).toMatchObject({
    subject: user.id,
    sequence: '0000000001.0000000001',
    data: { id: user.id },
    actor_id: null,
    address: '192.0.2.1',
  });
  expect((await outcomesOf(flow.ctx, user.id)).at(-1)).toMatchObject({ published_at: null });
  const mails = await flow.deliver();
  expect(mails.map((mail) => mail.recipients)).toContainEqual([user.email]);
});

test('finds an address in each of its forms', async () => {
  const { user } = await registerPerson(flow.ctx, { email: 'forgetful@bücher.example' });
  for (const email of ['forgetful@bücher.example ', 'Forgetful@xn--bcher-kva.example'])
    await forgot({ email });
  const events = await resetEvents();
  expect(events.filter(({ subject }) => subject === user.id)).toHaveLength(2);
  const mails = await flow.deliver();
  for (const { raw } of mails) expect(raw).toContain('forgetful@xn--bcher-kva.example');
  expect(mails).not.toEqual([]);
});

test('answers the same for an unknown address, and leaves no trace', async () => {
  const { user } = await registerPerson(flow.ctx);
  const before = await resetEvents();
  const known = await forgot({ email: user.email });
  const unknown = await forgot({ email: 'nobody@example.com' });
  const { 'x-request-id': _known, ...knownHeaders } = known.headers;
  const { 'x-request-id': _unknown, ...unknownHeaders } = unknown.headers;
  expect([unknown.status, unknown.body, unknownHeaders]).toEqual([known.status, known.body, knownHeaders]);
  expect(await resetEvents()).toHaveLength(before.length + 1);
  expect(JSON.stringify(flow.ctx.logged)).not.toContain('nobody@example.com');
});

test('logs the same for both', async () => {
  const { user } = await registerPerson(flow.ctx);
  const linesFor = async (email: string | null) => {
    const start = flow.ctx.logged.length;
    await forgot({ email });
    return flow.ctx.logged
      .slice(start)
      .map(({ time: _time, ms: _ms, requestId: _request, traceId: _trace, ...line }) => line);
  };
  expect(await linesFor('nobody@example.com')).toEqual(await linesFor(user.email));
});

test('takes many at once', async () => {
  const { user } = await registerPerson(flow.ctx);
  const emails = Array.from({ length: 20 }, (_, index) =>
    index % 2 ? user.email : `nobody${index}@example.com`,
  );
  const answers = await Promise.all(emails.map((email) => forgot({ email })));
  expect(answers.map((answer) => answer.status)).toEqual(Array(20).fill(202));
  const events = await flow.eventsOf(user.id);
  expect(events).toHaveLength(11);
  expect(new Set(events.map((event) => event.sequence)).size).toBe(11);
});

test.each([{}, { email: 'nobody' }, { email: null }, { email: 'a@example.com', more: 1 }])(
  'refuses a body that is not valid (%#)',
  async (body) => {
    const answer = await forgot(body);
    expect([answer.status, answer.body.code]).toEqual([422, 'invalid_request']);
  },
);
