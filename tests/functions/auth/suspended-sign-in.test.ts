// Suspended users sign in by no method. Only who has proven to be the user is told why; all others get what they always get.
import { randomUUID } from 'node:crypto';
import { handler as exchangeCode } from '../../../functions/auth/exchange-code';
import { handler as forgotPassword } from '../../../functions/auth/forgot-password';
import { handler as issueCode } from '../../../functions/auth/issue-code';
import { handler as login } from '../../../functions/auth/login';
import { handler as loginFactor } from '../../../functions/auth/login-factor';
import { handler as refresh } from '../../../functions/auth/refresh';
import { handler as register } from '../../../functions/auth/register';
import { handler as resetPassword } from '../../../functions/auth/reset-password';
import { handler as stepUp } from '../../../functions/auth/step-up';
import { handler as verifyEmail } from '../../../functions/auth/verify-email';
import { handler as openConsoleSession } from '../../../functions/console/open-console-session';
import { handler as refreshConsoleSession } from '../../../functions/console/refresh-console-session';
import { emails } from '../../../functions/consumers/emails';
import { handler as changePassword } from '../../../functions/users/change-password';
import { handler as getMe } from '../../../functions/users/get-me';
import { insertEmailToken } from '../../../shared/email-addresses/email-token-store';
import { hashToken, newOpaqueToken } from '../../../shared/tokens/opaque-token';
import { lockUserRow } from '../../../shared/users/user-store';
import { consume } from '../../setup/consume';
import { type TestContext, testContext } from '../../setup/context';
import { untilLockIsAwaited } from '../../setup/database';
import { eventsOf } from '../../setup/events';
import { addAuthenticator, later, recoveryCodes } from '../../setup/factors';
import { call } from '../../setup/http';
import type { TestReply } from '../../setup/http-event';
import { type MailContext, mailContext } from '../../setup/mail-flow';
import { codeIn } from '../../setup/mail-server';
import { askForCode, otherThan, sendCode, verifiedPerson } from '../../setup/mailed-codes';
import { addOwnPasskey, assertionOf, logInWith } from '../../setup/passkeys';
import { logInAdmin, PASSWORD, type Person, registerPerson, registration } from '../../setup/people';
import { countActiveSessions, restore, suspend } from '../../setup/suspension';

const EVIL = 'https://evil.example';
const APP = 'https://app.example.com/signed-in';
const OWN = { host: 'localhost:3000', origin: 'http://localhost:3000' };

let flow: MailContext;
let ctx: TestContext;
let admin: Person;
beforeAll(async () => {
  flow = await mailContext({ PUBLIC_URL: OWN.origin, EMAIL_LOGIN: 'on', RETURN_URLS: APP });
  ctx = flow.ctx;
});
beforeEach(async () => {
  admin = await logInAdmin(ctx);
});
afterAll(() => flow.close());

const post = (handler: Parameters<typeof call<TestContext>>[0], body: unknown, headers = {}) =>
  call(handler, ctx, { method: 'POST', body, headers });
const told = ({ status, body }: TestReply) => [status, body.code ?? null];

type Send = () => Promise<TestReply>;

/** A way to sign in, set up for one user. */
interface Way {
  person: Person;
  /** Does all steps but the last, which is returned: with the right proof, or a wrong one. */
  ready(right: boolean): Promise<Send>;
}

const byName = (person: Person, right: boolean) => ({
  username: person.user.username,
  password: right ? PASSWORD : 'wrong',
});

/** The first step of two. One factor is not enough to learn of a suspension. */
async function firstStep(person: Person): Promise<string> {
  const { status, body } = await post(login, byName(person, true));
  expect([status, body.code]).toEqual([401, 'second_factor_required']);
  return body.factorToken;
}

async function byApp(): Promise<Way> {
  const person = await registerPerson(ctx);
  const app = await addAuthenticator(ctx, person);
  return {
    person,
    ready: async (right) => {
      const factorToken = await firstStep(person);
      return () => {
        later(ctx, 30);
        return post(loginFactor, { factorToken, type: 'totp', code: right ? app.code() : '000000' });
      };
    },
  };
}

const byMail = (person: Person): Way => ({
  person,
  ready: async (right) => {
    const { emailToken } = (await askForCode(ctx, person.user.email)).body;
    const asked = (await flow.eventsOf(person.user.id)).slice(-1);
    await consume(
      emails(() => ctx),
      asked,
    );
    const code = codeIn(flow.server.mails.at(-1));
    return () => sendCode(ctx, emailToken, right ? code : otherThan(code));
  },
});

/** A passkey beside another factor, whose step answers with a `factorToken`. */
async function byPasskeyToo(person: Person, first: () => Promise<string>): Promise<Way> {
  const passkey = await addOwnPasskey(ctx, person);
  return {
    person,
    ready: async (right) => {
      const factorToken = await first();
      const assertion = await assertionOf(ctx, passkey, right ? undefined : { origin: EVIL });
      return () => post(loginFactor, { factorToken, type: 'passkey', assertion });
    },
  };
}

const METHODS: Record<string, () => Promise<Way>> = {
  'a password, by username': async () => {
    const person = await registerPerson(ctx);
    return { person, ready: async (right) => () => post(login, byName(person, right)) };
  },
  'a password, by address': async () => {
    const person = await registerPerson(ctx);
    const { email } = person.user;
    const body = (right: boolean) => ({ email, password: byName(person, right).password });
    return { person, ready: async (right) => () => post(login, body(right)) };
  },
  'a code of an authenticator app': byApp,
  'a recovery code': async () => {
    const person = await registerPerson(ctx);
    await addAuthenticator(ctx, person);
    const codes = await recoveryCodes(ctx, person);
    return {
      person,
      ready: async (right) => {
        const factorToken = await firstStep(person);
        const code = right ? codes.pop() : '0000-0000-0000-0000';
        return () => post(loginFactor, { factorToken, type: 'recovery_code', code });
      },
    };
  },
  'a passkey': async () => {
    const person = await registerPerson(ctx);
    const passkey = await addOwnPasskey(ctx, person);
    return {
      person,
      ready: async (right) => {
        const assertion = await assertionOf(ctx, passkey, right ? undefined : { origin: EVIL });
        return () => logInWith(ctx, assertion);
      },
    };
  },
  'a password and a passkey': async () => {
    const person = await registerPerson(ctx);
    return byPasskeyToo(person, () => firstStep(person));
  },
  'a mailed code': async () => byMail(await verifiedPerson(ctx)),
  // Such a login would remove the password that was set before.
  'a mailed code, to an address that was never proven': async () => byMail(await registerPerson(ctx)),
  'a mailed code and a passkey': async () => {
    const person = await verifiedPerson(ctx);
    return byPasskeyToo(person, async () => {
      const send = await byMail(person).ready(true);
      return (await send()).body.factorToken;
    });
  },
  'a registration sent again': async () => {
    const body = registration();
    const headers = { 'idempotency-key': randomUUID() };
    const { body: person } = await post(register, body, headers);
    const other = { ...body, password: 'another password' };
    return { person, ready: async (right) => () => post(register, right ? body : other, headers) };
  },
};
const NAMES = Object.keys(METHODS);
const prepare = async (name: string): Promise<Way> => {
  const way = await METHODS[name]?.();
  if (!way) throw new Error(`No method ${name}`);
  admin = await logInAdmin(ctx);
  return way;
};

const attempt = async ({ ready }: Way, right: boolean): Promise<TestReply> => (await ready(right))();

/** What a client sees, without what differs each time. */
const seen = ({ status, body: { requestId: _, ...body }, headers }: TestReply) => ({
  status,
  body,
  headers: Object.keys(headers).sort(),
});

test.each(NAMES)('%s', async (name) => {
  const [suspended, other] = [await prepare(name), await prepare(name)];
  const { id } = suspended.person.user;
  const until = new Date(ctx.clock.now.getTime() + 3_600_000).toISOString();
  await suspend(ctx, admin, id, { reason: 'Spam', until });

  const wrong = await attempt(suspended, false);
  expect(seen(wrong)).toEqual(seen(await attempt(other, false)));
  expect(wrong.body.code).not.toBe('user_suspended');

  const right = await attempt(suspended, true);
  expect([...told(right), right.body.until]).toEqual([403, 'user_suspended', until]);
  expect(JSON.stringify(right.body)).not.toContain('Spam');
  expect(right.headers).not.toHaveProperty('set-cookie');
  expect(await countActiveSessions(ctx, id)).toBe(0);
  expect(await eventsOf(ctx, id)).not.toContain('session.created');
  expect([200, 201]).toContain((await attempt(other, true)).status);

  // At `until`, by the clock alone.
  ctx.clock.now = new Date(until);
  const after = await attempt(suspended, true);
  expect([200, 201]).toContain(after.status);
  if (after.body.user) expect(after.body.user.suspension).toBeNull();
  expect(await countActiveSessions(ctx, id)).toBe(1);
});

test.each(NAMES)('%s: a login that is under way does not get past a suspension', async (name) => {
  const { person, ready } = await prepare(name);
  const { id } = person.user;
  const send = await ready(true);
  const { answers } = await ctx.db.transaction().execute(async (tx) => {
    await lockUserRow(tx, id);
    const suspending = suspend(ctx, admin, id);
    await untilLockIsAwaited(ctx, 1);
    // It has found a user who is not suspended, and waits for the lock.
    const signingIn = send();
    await untilLockIsAwaited(ctx, 2);
    return { answers: Promise.all([suspending, signingIn]) };
  });
  const [suspending, signingIn] = await answers;
  expect(suspending.status).toBe(200);
  expect(told(signingIn)).toEqual([403, 'user_suspended']);
  expect(await countActiveSessions(ctx, id)).toBe(0);
});

test('of many logins around a suspension, none leaves a session', async () => {
  const person = await registerPerson(ctx);
  const logins = () => Array.from({ length: 8 }, () => post(login, byName(person, true)));
  const [before, suspending, after] = [logins(), suspend(ctx, admin, person.user.id), logins()];
  const replies = await Promise.all([...before, ...after]);
  expect((await suspending).status).toBe(200);
  const outcomes = new Set(replies.map((reply) => told(reply).join(' ')));
  expect([...outcomes].filter((one) => one !== '200 ' && one !== '403 user_suspended')).toEqual([]);
  expect(await countActiveSessions(ctx, person.user.id)).toBe(0);
  for (const { body } of replies.filter(({ status }) => status === 200))
    expect((await call(getMe, ctx, { token: body.accessToken })).status).toBe(401);
});

test('a change of the own password that is under way opens no session either', async () => {
  const { user, accessToken: token } = await registerPerson(ctx);
  const body = { currentPassword: PASSWORD, newPassword: 'quite another password' };
  const { answers } = await ctx.db.transaction().execute(async (tx) => {
    await lockUserRow(tx, user.id);
    const suspending = suspend(ctx, admin, user.id);
    await untilLockIsAwaited(ctx, 1);
    const changing = call(changePassword, ctx, { method: 'PUT', params: { id: 'me' }, token, body });
    await untilLockIsAwaited(ctx, 2);
    return { answers: Promise.all([suspending, changing]) };
  });
  expect((await answers).map(told)).toEqual([
    [200, null],
    [401, 'unauthorized'],
  ]);
  expect(await countActiveSessions(ctx, user.id)).toBe(0);
  expect(told(await post(login, { username: user.username, password: PASSWORD }))).toEqual([
    403,
    'user_suspended',
  ]);
});

test('what goes on with an earlier session finds it ended', async () => {
  const person = await registerPerson(ctx);
  const codeOf = async ({ accessToken, refreshToken }: Person, returnTo: string) => {
    const request = { method: 'POST', headers: OWN, token: accessToken, body: { refreshToken, returnTo } };
    return (await call(issueCode, ctx, request)).body.code;
  };
  const code = await codeOf(person, APP);
  const { body: second } = await post(login, byName(person, true));
  const console = await post(openConsoleSession, { code: await codeOf(second, 'console') }, OWN);
  const { body: third } = await post(login, byName(person, true));
  const unused = await codeOf(third, 'console');
  const cookies = [console.headers['set-cookie']?.split(';')[0] ?? ''];
  await suspend(ctx, admin, person.user.id);
  const { accessToken: token, refreshToken } = person;
  expect((await call(getMe, ctx, { token })).status).toBe(401);
  expect((await call(getMe, ctx, { token: console.body.accessToken })).status).toBe(401);
  expect(told(await post(refresh, { refreshToken }))).toEqual([401, 'invalid_refresh_token']);
  expect(told(await post(exchangeCode, { code, returnTo: APP }))).toEqual([400, 'invalid_token']);
  expect(told(await post(openConsoleSession, { code: unused }, OWN))).toEqual([400, 'invalid_token']);
  const step = { method: 'POST', token, body: { password: PASSWORD } };
  expect(told(await call(stepUp, ctx, step))).toEqual([401, 'unauthorized']);
  const ask = { method: 'POST', headers: OWN, cookies };
  expect((await call(refreshConsoleSession, ctx, ask)).status).toBe(401);
  await restore(ctx, admin, person.user.id);
  // Restored or not, they stay ended.
  expect(told(await post(refresh, { refreshToken }))).toEqual([401, 'invalid_refresh_token']);
  expect((await post(login, byName(person, true))).status).toBe(200);
});

test('what was sent is used up, and counts as no wrong guess', async () => {
  const limited = await testContext({ RATE_LIMITS: 'on', RATE_LIMIT_LOGIN_ACCOUNT: '3/900' });
  const by = await logInAdmin(limited);
  const person = await registerPerson(limited);
  const app = await addAuthenticator(limited, person);
  const first = () => call(login, limited, { method: 'POST', body: byName(person, true) });
  const { factorToken } = (await first()).body;
  await suspend(limited, by, person.user.id);
  const code = app.code();
  const send = (token: string) =>
    call(loginFactor, limited, { method: 'POST', body: { factorToken: token, type: 'totp', code } });
  expect(told(await send(factorToken))).toEqual([403, 'user_suspended']);
  expect(told(await send(factorToken))).toEqual([400, 'invalid_token']);
  await restore(limited, by, person.user.id);
  expect(told(await send((await first()).body.factorToken))).toEqual([401, 'invalid_code']);
  const other = await registerPerson(limited);
  await suspend(limited, by, other.user.id);
  for (let attempt = 0; attempt < 5; attempt++) {
    const reply = await call(login, limited, { method: 'POST', body: byName(other, true) });
    expect(told(reply)).toEqual([403, 'user_suspended']);
  }
  await limited.close();
});

test('a refused login is an entry of the audit log', async () => {
  const person = await registerPerson(ctx);
  await suspend(ctx, admin, person.user.id);
  await post(login, byName(person, true));
  const entries = await ctx.db
    .selectFrom('audit_log')
    .selectAll()
    .where('subject', '=', person.user.id)
    .where('type', '=', 'session.failed')
    .execute();
  expect(entries).toMatchObject([
    { details: { method: 'login', reason: 'suspended' }, address: '192.0.2.1' },
  ]);
});

describe('by mail', () => {
  async function linkFor({ user }: Person, purpose: 'reset_password' | 'verify_email'): Promise<string> {
    const token = newOpaqueToken();
    const now = ctx.now();
    await ctx.db.transaction().execute((tx) =>
      insertEmailToken(tx, {
        hash: hashToken(token),
        userId: user.id,
        purpose,
        address: user.email ?? '',
        now,
        expiresAt: new Date(now.getTime() + 60_000),
      }),
    );
    return token;
  }

  test('links work: a new password, a verified address, and no session', async () => {
    const person = await registerPerson(ctx);
    await suspend(ctx, admin, person.user.id, { reason: 'Spam' });
    expect((await post(forgotPassword, { email: person.user.email })).status).toBe(202);
    const suspension = { since: expect.any(String), until: null };
    const verified = await post(verifyEmail, { token: await linkFor(person, 'verify_email') });
    expect([verified.status, verified.body.user]).toMatchObject([200, { emailVerified: true, suspension }]);
    const password = 'quite another password';
    const token = await linkFor(person, 'reset_password');
    const reset = await post(resetPassword, { token, password });
    expect([reset.status, Object.keys(reset.body), reset.body.user.suspension]).toEqual([
      200,
      ['user'],
      suspension,
    ]);
    const { username } = person.user;
    expect(told(await post(login, { username, password: PASSWORD }))).toEqual([401, 'invalid_credentials']);
    expect(told(await post(login, { username, password }))).toEqual([403, 'user_suspended']);
    expect(await countActiveSessions(ctx, person.user.id)).toBe(0);
    await restore(ctx, admin, person.user.id);
    expect((await post(login, { username, password })).status).toBe(200);
  });
});
