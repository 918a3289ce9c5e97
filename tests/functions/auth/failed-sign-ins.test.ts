// What a failed login leaves in the audit log, and that the limits come first.
import { sql } from 'kysely';
import { handler as forgotPassword } from '../../../functions/auth/forgot-password';
import { handler as login } from '../../../functions/auth/login';
import { handler as logout } from '../../../functions/auth/logout';
import { handler as refresh } from '../../../functions/auth/refresh';
import { handler as register } from '../../../functions/auth/register';
import { handler as resetPassword } from '../../../functions/auth/reset-password';
import { handler as stepUp } from '../../../functions/auth/step-up';
import { handler as verifyEmail } from '../../../functions/auth/verify-email';
import { handler as listAudit } from '../../../functions/events/list-audit';
import { handler as changePassword } from '../../../functions/users/change-password';
import { type TestContext, testContext } from '../../setup/context';
import { eventsOf } from '../../setup/events';
import { call } from '../../setup/http';
import { logInAdmin, PASSWORD, type Person, registerPerson, registration } from '../../setup/people';

type Handle = Parameters<typeof call<TestContext>>[0];

let ctx: TestContext;
let admin: Person;
let person: Person;
beforeAll(async () => {
  ctx = await testContext({
    RATE_LIMITS: 'on',
    RATE_LIMIT_LOGIN_ADDRESS: '5/900',
    RATE_LIMIT_LOGIN_ACCOUNT: '3/900',
    RATE_LIMIT_REFRESH_ADDRESS: '5/900',
    RATE_LIMIT_MAIL_ADDRESS: '5/900',
  });
  admin = await logInAdmin(ctx);
  person = await registerPerson(ctx);
});
afterAll(() => ctx.close());

let addresses = 0;
/** Somewhere else each time, where no limit is used up. */
const elsewhere = () => `198.51.100.${++addresses}`;
const post = (handle: Handle, body: unknown, more: { address?: string; token?: string } = {}) =>
  call(handle, ctx, { method: 'POST', body, headers: { 'user-agent': 'a guesser' }, ...more });
async function failures(query: Record<string, string> = {}) {
  const { body } = await call(listAudit, ctx, {
    query: { type: 'session.failed', ...query },
    token: admin.accessToken,
  });
  return body.entries;
}

test('whose password it would have been, from where and with what, and the name as a keyed hash alone', async () => {
  const { id, username, email } = person.user;
  const address = elsewhere();
  const name = 'my-secret-password';
  await post(login, { username, password: 'wrong' }, { address });
  await post(login, { username: ` ${username.toUpperCase()} `, password: 'wrong' }, { address });
  await post(login, { email, password: 'wrong' }, { address });
  await post(login, { username: name, password: 'wrong' }, { address });
  const [unknown, byEmail, again, first] = await failures();
  const entry = (subject: string | null, reason: string) => ({
    eventId: expect.any(String),
    type: 'session.failed',
    subject,
    actor: null,
    time: ctx.clock.now.toISOString(),
    address,
    userAgent: 'a guesser',
    requestId: expect.any(String),
    details: { nameHash: expect.stringMatching(/^[0-9a-f]{32}$/), method: 'login', reason },
  });
  expect([first, again, byEmail, unknown]).toEqual([
    entry(id, 'wrong_password'),
    entry(id, 'wrong_password'),
    entry(id, 'wrong_password'),
    entry(null, 'unknown_name'),
  ]);
  expect(again.details.nameHash).toBe(first.details.nameHash);
  expect(new Set([first, byEmail, unknown].map(({ details }) => details.nameHash)).size).toBe(3);
  const { rows } = await sql<{
    text: string;
  }>`select string_agg(audit_log::text, '') as text from audit_log`.execute(ctx.db);
  for (const given of [username, email, name]) expect(rows[0]?.text.toLowerCase()).not.toContain(given);
});

test('is no event: no subscriber hears of it', async () => {
  const count = () => ctx.db.selectFrom('events').select('id').execute();
  const before = await count();
  await post(login, { username: 'nobody', password: 'wrong' }, { address: elsewhere() });
  expect(await count()).toEqual(before);
});

test('leaves one entry for each try that was looked at or slowed down, and none beyond the limit of an address', async () => {
  const { user } = await registerPerson(ctx);
  const address = elsewhere();
  const statuses = [];
  for (let i = 0; i < 8; i++)
    statuses.push((await post(login, { username: user.username, password: 'wrong' }, { address })).status);
  expect(statuses).toEqual([401, 401, 401, 429, 429, 429, 429, 429]);
  const reasons = (await failures({ subject: user.id })).map(
    ({ details }: { details: { reason: string } }) => details.reason,
  );
  expect(reasons).toEqual(['slowed', 'slowed', 'wrong_password', 'wrong_password', 'wrong_password']);
});

test('a wrong password in a session is one too; a right one is none, nor one that is not looked at', async () => {
  const mine = await registerPerson(ctx);
  const token = mine.accessToken;
  expect((await post(stepUp, { password: PASSWORD }, { token })).status).toBe(200);
  expect(await eventsOf(ctx, mine.user.id)).toEqual(['user.created', 'session.elevated']);
  await post(stepUp, { password: 'wrong' }, { token });
  await post(logout, { all: true, currentPassword: 'wrong' }, { token });
  await call(changePassword, ctx, {
    method: 'PUT',
    params: { id: 'me' },
    body: { currentPassword: 'wrong', newPassword: 'another fine password' },
    token,
  });
  expect((await post(stepUp, { password: 'wrong' }, { token })).status).toBe(429);
  const entries = await failures({ subject: mine.user.id });
  expect(entries).toHaveLength(3);
  for (const entry of entries)
    expect(entry).toMatchObject({
      actor: mine.user.id,
      details: { method: 'proof', reason: 'wrong_password' },
    });
});

test('a failure that cannot be written is no way in, and says nothing', async () => {
  await sql`alter table audit_log add constraint none_failed check (type <> 'session.failed') not valid`.execute(
    ctx.db,
  );
  const { username } = registration();
  const reply = await post(login, { username, password: 'wrong' }, { address: elsewhere() });
  await sql`alter table audit_log drop constraint none_failed`.execute(ctx.db);
  expect(reply.body).toMatchObject({
    status: 500,
    code: 'internal_error',
    detail: 'Internal error',
  });
});

describe('whoever is over the limit of an address is told so before the body is read', () => {
  const LIMITED: [string, Handle, string][] = [
    ['login', login, '5/900'],
    ['refresh', refresh, '5/900'],
    ['verify-email', verifyEmail, '5/900'],
    ['forgot-password', forgotPassword, '5/900'],
    ['reset-password', resetPassword, '5/900'],
  ];
  test.each(LIMITED)('%s', async (_name, handle) => {
    const address = elsewhere();
    const statuses = [];
    for (let i = 0; i < 6; i++) statuses.push((await post(handle, '{', { address })).status);
    expect(statuses).toEqual([400, 400, 400, 400, 400, 429]);
  });

  test('register, but for whoever may change every user', async () => {
    const limited = {
      ...ctx,
      config: {
        ...ctx.config,
        rateLimits: {
          ...ctx.config.rateLimits,
          limits: { ...ctx.config.rateLimits.limits, registerAddress: { max: 1, seconds: 900 } },
        },
      },
    };
    const send = async (token?: string) =>
      (
        await call(register, limited, {
          method: 'POST',
          body: '{',
          address: '203.0.113.9',
          ...(token && { token }),
        })
      ).status;
    expect([await send(), await send(), await send(admin.accessToken)]).toEqual([400, 429, 400]);
  });
});
