import { handler as verifyEmail } from '../../../functions/auth/verify-email';
import { call } from '../../setup/http';
import { type MailContext, mailContext } from '../../setup/mail-flow';
import { tokenIn } from '../../setup/mail-server';
import { outcomesOf } from '../../setup/outbox';
import { registerPerson } from '../../setup/people';

let flow: MailContext;

beforeAll(async () => {
  flow = await mailContext();
});
afterAll(() => flow.close());

const verify = (body: unknown) =>
  call(verifyEmail, flow.ctx, { method: 'POST', path: '/verify-email', body });

async function registerWithToken() {
  const { user } = await registerPerson(flow.ctx);
  const mail = (await flow.deliver()).find(({ recipients }) => recipients[0] === user.email);
  return { user, token: tokenIn(mail) };
}

test('verifies the address, once, with its event', async () => {
  const { user, token } = await registerWithToken();
  flow.ctx.clock.now = new Date(flow.ctx.clock.now.getTime() + 1000);
  const { status, headers, body } = await verify({ token });
  expect(status).toBe(200);
  expect(headers).toMatchObject({ etag: '"2"', 'cache-control': 'no-store' });
  const updatedAt = flow.ctx.clock.now.toISOString();
  expect(body).toEqual({ user: { ...user, emailVerified: true, version: 2, updatedAt } });

  const row = await flow.ctx.db
    .selectFrom('events')
    .selectAll()
    .where('subject', '=', user.id)
    .where('type', '=', 'user.email_verified')
    .executeTakeFirstOrThrow();
  expect(row).toMatchObject({
    sequence: '0000000002',
    actor_id: user.id,
    address: '192.0.2.1',
    data: { id: user.id },
  });
  expect((await outcomesOf(flow.ctx, user.id)).at(-1)?.published_at).not.toBeNull();

  const again = await verify({ token });
  expect([again.status, again.body.code]).toEqual([400, 'invalid_token']);
  expect(JSON.stringify(flow.ctx.logged)).not.toContain(token);
});

test('takes a token up to the last moment before it expires', async () => {
  const { token } = await registerWithToken();
  const { token: late } = await registerWithToken();
  const day = 24 * 3600 * 1000;
  flow.ctx.clock.now = new Date(flow.ctx.clock.now.getTime() + day - 1);
  expect((await verify({ token })).status).toBe(200);
  flow.ctx.clock.now = new Date(flow.ctx.clock.now.getTime() + 1);
  const expired = await verify({ token: late });
  expect([expired.status, expired.body.code]).toEqual([400, 'invalid_token']);
});

test.each(['', 'nonsense', 'A'.repeat(43), 'x'.repeat(10_000)])(
  'refuses a token that is wrong (%#)',
  async (token) => {
    const answer = await verify({ token });
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_token']);
    expect(answer.headers['content-type']).toBe('application/problem+json');
  },
);

test('a token for an earlier address verifies nothing', async () => {
  const { user, token } = await registerWithToken();
  const email = `new-${user.email}`;
  await flow.ctx.db.updateTable('users').set({ email }).where('id', '=', user.id).execute();
  const answer = await verify({ token });
  expect([answer.status, answer.body.code]).toEqual([400, 'invalid_token']);
});

test('a token of another purpose verifies nothing', async () => {
  const { token } = await registerWithToken();
  await flow.ctx.db.updateTable('email_tokens').set({ purpose: 'reset_password' }).execute();
  const answer = await verify({ token });
  expect([answer.status, answer.body.code]).toEqual([400, 'invalid_token']);
});

test('of two at the same moment exactly one verifies', async () => {
  const { user, token } = await registerWithToken();
  const answers = await Promise.all(Array.from({ length: 10 }, () => verify({ token })));
  expect(answers.map((answer) => answer.status).sort()).toEqual([200, ...Array(9).fill(400)]);
  const events = await flow.eventsOf(user.id);
  expect(events.map((event) => event.type)).toEqual(['user.created', 'user.email_verified']);
});

test('a user who is deleted at the same moment costs nobody a deadlock', async () => {
  for (let round = 0; round < 10; round += 1) {
    const { user, token } = await registerWithToken();
    const [answer] = await Promise.all([
      verify({ token }),
      flow.ctx.db.deleteFrom('users').where('id', '=', user.id).execute(),
    ]);
    expect([200, 400]).toContain(answer.status);
  }
});

test('an address that is verified already stays so: the token is used up, and nothing else happens', async () => {
  const { user, token } = await registerWithToken();
  await flow.ctx.db.updateTable('users').set({ email_verified: true }).where('id', '=', user.id).execute();
  const answer = await verify({ token });
  expect([answer.status, answer.body.user]).toEqual([200, { ...user, emailVerified: true }]);
  expect(await flow.eventsOf(user.id)).toHaveLength(1);
  expect((await verify({ token })).status).toBe(400);
});

test.each([{}, { token: 1 }, { token: 'x', more: true }, []])(
  'refuses a body that is not valid (%#)',
  async (body) => {
    const answer = await verify(body);
    expect([answer.status, answer.body.code]).toEqual([422, 'invalid_request']);
  },
);
