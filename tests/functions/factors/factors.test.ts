import { handler as login } from '../../../functions/auth/login';
import { handler as loginFactor } from '../../../functions/auth/login-factor';
import { handler as logout } from '../../../functions/auth/logout';
import { handler as refresh } from '../../../functions/auth/refresh';
import { handler as stepUp } from '../../../functions/auth/step-up';
import { handler as addTotp } from '../../../functions/factors/add-totp';
import { handler as confirmTotp } from '../../../functions/factors/confirm-totp';
import { handler as createRecoveryCodes } from '../../../functions/factors/create-recovery-codes';
import { handler as listFactors } from '../../../functions/factors/list-factors';
import { handler as removeFactor } from '../../../functions/factors/remove-factor';
import { handler as listRoles } from '../../../functions/roles/list-roles';
import { handler as putRole } from '../../../functions/roles/put-role';
import { handler as changePassword } from '../../../functions/users/change-password';
import { handler as changeRole } from '../../../functions/users/change-role';
import { handler as deleteUser } from '../../../functions/users/delete-user';
import { handler as getMe } from '../../../functions/users/get-me';
import { handler as getUser } from '../../../functions/users/get-user';
import { handler as listSessions } from '../../../functions/users/list-sessions';
import { handler as listUsers } from '../../../functions/users/list-users';
import { handler as removePassword } from '../../../functions/users/remove-password';
import { readConfig } from '../../../shared/config';
import type { TestContext } from '../../setup/context';
import { testContext } from '../../setup/context';
import { addAuthenticator, codeOf, later, recoveryCodes } from '../../setup/factors';
import { call } from '../../setup/http';
import { type MailContext, mailContext } from '../../setup/mail-flow';
import { logInAdmin, PASSWORD, type Person, registerPerson } from '../../setup/people';
import { logInWith } from '../../setup/roles';

let mail: MailContext;
let ctx: TestContext;
let admin: Person;
beforeAll(async () => {
  mail = await mailContext();
  ctx = mail.ctx;
});
// The clock moves on by more than an access token lasts.
beforeEach(async () => {
  admin = await logInAdmin(ctx);
});
afterAll(() => mail.close());

const own = ({ accessToken: token }: { accessToken: string }, id = 'me') => ({
  method: 'POST',
  params: { id },
  token,
});
const list = async (person: Person, by = person) =>
  (await call(listFactors, ctx, { token: by.accessToken, params: { id: person.user.id } })).body;
const confirm = (person: Person, code: string) => call(confirmTotp, ctx, { ...own(person), body: { code } });
const remove = (person: Person, factorId: string, by: { accessToken: string } = person) =>
  call(removeFactor, ctx, {
    method: 'DELETE',
    params: { id: person.user.id, factorId },
    token: by.accessToken,
  });
const prove = (person: Person, body: Record<string, unknown> = {}) =>
  call(stepUp, ctx, { method: 'POST', token: person.accessToken, body: { password: PASSWORD, ...body } });
const logIn = ({ user }: Person, at = ctx) =>
  call(login, at, { method: 'POST', body: { username: user.username, password: PASSWORD } });
const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

test('an authenticator app counts once it has shown the right code', async () => {
  const person = await registerPerson(ctx);
  const { status, headers, body } = await call(addTotp, ctx, own(person));
  expect([status, headers['cache-control']]).toEqual([201, 'no-store']);
  expect(new URL(body.uri).searchParams.get('secret')).toBe(body.secret);
  expect(decodeURIComponent(new URL(body.uri).pathname)).toBe(`/Rollcall:${person.user.username}`);
  expect(body.qrCode).toMatch(/^<svg/);
  expect(await list(person)).toEqual({ factors: [], recoveryCodes: 0 });
  expect((await logIn(person)).status).toBe(200);
  expect((await confirm(person, '000000')).body.code).toBe('invalid_code');
  expect((await logIn(person)).status).toBe(200);
  const code = codeOf(body.secret, ctx.clock.now);
  const confirmed = await confirm(person, code);
  expect([confirmed.status, confirmed.body]).toEqual([200, { factorId: body.factorId }]);
  expect(await list(person)).toEqual({
    factors: [
      {
        id: body.factorId,
        type: 'totp',
        createdAt: ctx.clock.now.toISOString(),
        lastUsedAt: ctx.clock.now.toISOString(),
      },
    ],
    recoveryCodes: 0,
  });
  const { body: challenge } = await logIn(person);
  expect(challenge.code).toBe('second_factor_required');
  const { factorToken } = challenge;
  const again = { method: 'POST', body: { factorToken, type: 'totp', code } };
  expect((await call(loginFactor, ctx, again)).body.code).toBe('invalid_code');
  expect((await confirm(person, code)).body.code).toBe('not_found');
});

test('of fifty confirmations at once one counts, and is one event', async () => {
  const person = await registerPerson(ctx);
  const { body } = await call(addTotp, ctx, own(person));
  const code = codeOf(body.secret, ctx.clock.now);
  const replies = await Promise.all(Array.from({ length: 50 }, () => confirm(person, code)));
  expect(replies.map(({ status }) => status).sort()).toEqual([200, ...Array(49).fill(404)]);
  const added = (await mail.eventsOf(person.user.id)).filter(({ type }) => type === 'user.factor_added');
  expect(added.map(({ data }) => data)).toEqual([
    { id: person.user.id, factorId: body.factorId, factorType: 'totp' },
  ]);
});

test('a secret that was never confirmed is replaced, and there are three at most', async () => {
  const person = await registerPerson(ctx);
  const first = (await call(addTotp, ctx, own(person))).body;
  const second = (await call(addTotp, ctx, own(person))).body;
  expect((await confirm(person, codeOf(first.secret, ctx.clock.now))).body.code).toBe('invalid_code');
  expect((await confirm(person, codeOf(second.secret, ctx.clock.now))).status).toBe(200);
  const spare = await addAuthenticator(ctx, person);
  await addAuthenticator(ctx, person);
  expect((await list(person)).factors).toHaveLength(3);
  expect((await call(addTotp, ctx, own(person))).body.code).toBe('too_many_factors');
  // Each of them is enough.
  const { factorToken } = (await logIn(person)).body;
  const body = { factorToken, type: 'totp', code: spare.code() };
  expect((await call(loginFactor, ctx, { method: 'POST', body })).status).toBe(200);
});

test('the secret is sealed in the database, and the codes are hashed', async () => {
  const person = await registerPerson(ctx);
  const { secret } = await addAuthenticator(ctx, person);
  const [code = ''] = await recoveryCodes(ctx, person);
  const { rows } = await (await import('kysely')).sql<{ text: string }>`
    select factors::text || recovery_codes::text as text from factors, recovery_codes
    where factors.user_id = ${person.user.id} and recovery_codes.user_id = ${person.user.id}`.execute(ctx.db);
  const stored = rows.map(({ text }) => text).join();
  for (const part of [secret, Buffer.from(secret).toString('hex'), code, Buffer.from(code).toString('hex')])
    expect(stored).not.toContain(part);
  expect(JSON.stringify(ctx.logged)).not.toContain(secret);
  expect(JSON.stringify(await mail.eventsOf(person.user.id))).not.toContain(secret);
});

test('a stolen access token alone changes no factor: each change takes a recent proof, and a code if there is one', async () => {
  const person = await registerPerson(ctx);
  const thief = (await logIn(person)).body;
  const { factorId, code } = await addAuthenticator(ctx, person);
  // A login by the password alone, from just before.
  expect((await remove(person, factorId, thief)).body.code).toBe('reauthentication_required');
  later(ctx, 600);
  const confirmation = { ...own(person), body: { code: '000000' } };
  for (const reply of [
    await call(addTotp, ctx, own(person)),
    await call(confirmTotp, ctx, confirmation),
    await call(createRecoveryCodes, ctx, own(person)),
    await remove(person, factorId),
  ]) {
    expect([reply.status, reply.body.code]).toEqual([401, 'reauthentication_required']);
  }
  // Nor does the password with it.
  const without = await prove(person);
  expect([without.status, without.body.code]).toEqual([401, 'second_factor_required']);
  expect((await prove(person, { code: '000000' })).body.code).toBe('invalid_code');
  const body = { currentPassword: PASSWORD, newPassword: 'quite another password' };
  const change = (by: Person) => call(changePassword, ctx, { ...own(by), method: 'PUT', body });
  expect((await change(person)).body.code).toBe('reauthentication_required');
  // With a code, it does.
  const { body: proven } = await prove(person, { code: code() });
  expect(claimsOf(proven.accessToken).amr).toEqual(['pwd', 'otp', 'mfa']);
  expect((await prove(person, { code: code() })).body.code).toBe('invalid_code');
  later(ctx, 540);
  const changed = await change({ ...person, ...proven });
  expect([changed.status, claimsOf(changed.body.accessToken).acr]).toEqual([200, 'aal2']);
  // A new password does not renew the proof.
  later(ctx, 60);
  expect((await remove(person, factorId, changed.body)).body.code).toBe('reauthentication_required');
  const again = await prove(
    { ...person, ...changed.body },
    { password: 'quite another password', code: code() },
  );
  expect((await remove(person, factorId, again.body)).status).toBe(204);
});

test('a step-up takes a recovery code as well', async () => {
  const person = await registerPerson(ctx);
  await addAuthenticator(ctx, person);
  const [code = ''] = await recoveryCodes(ctx, person);
  expect((await prove(person, { type: 'recovery_code', code })).status).toBe(200);
  expect((await prove(person, { type: 'recovery_code', code })).body.code).toBe('invalid_code');
  expect((await list(person)).recoveryCodes).toBe(9);
  const elevated = (await mail.eventsOf(person.user.id)).filter(({ type }) => type === 'session.elevated');
  expect(elevated.map(({ data }) => data)).toEqual([
    { userId: person.user.id, sessionId: claimsOf(person.accessToken).sid, amr: ['pwd', 'otp', 'mfa'] },
  ]);
  const sequences = (await mail.eventsOf(person.user.id)).map(({ sequence }) => sequence);
  expect(sequences).toEqual([...new Set(sequences)].sort());
});

test('a step-up takes a code alone in a session that has proven both factors, not in one that has not', async () => {
  const person = await registerPerson(ctx);
  const { body: weak } = await logIn(person);
  const { code } = await addAuthenticator(ctx, person);
  later(ctx, 600);
  const alone = (by: Person) =>
    call(stepUp, ctx, { method: 'POST', token: by.accessToken, body: { code: code() } });
  const refused = await alone(weak);
  expect([refused.status, refused.body.errors[0].path]).toEqual([422, 'password']);
  const { status, body } = await alone(person);
  expect([status, claimsOf(body.accessToken).acr]).toEqual([200, 'aal2']);
  expect((await call(stepUp, ctx, { method: 'POST', token: person.accessToken, body: {} })).status).toBe(422);
});

test('without the last factor the password is enough, and the recovery codes are gone', async () => {
  const person = await registerPerson(ctx);
  const one = await addAuthenticator(ctx, person);
  const other = await addAuthenticator(ctx, person);
  await recoveryCodes(ctx, person);
  expect((await remove(person, one.factorId)).status).toBe(204);
  expect((await list(person)).recoveryCodes).toBe(10);
  expect((await logIn(person)).status).toBe(401);
  expect((await remove(person, other.factorId)).status).toBe(204);
  expect(await list(person)).toEqual({ factors: [], recoveryCodes: 0 });
  expect((await logIn(person)).status).toBe(200);
  expect((await remove(person, other.factorId)).body.code).toBe('not_found');
  expect((await call(createRecoveryCodes, ctx, own(person))).body.code).toBe('no_second_factor');
});

test('support removes a factor that was lost, but gives nobody one, and exceeds nobody’s role', async () => {
  const support = await logInWith(ctx, admin, ['users:read', 'users:write']);
  const person = await registerPerson(ctx);
  const { factorId } = await addAuthenticator(ctx, person);
  for (const handler of [addTotp, createRecoveryCodes]) {
    const reply = await call(handler, ctx, own(support, person.user.id));
    expect([reply.status, reply.body.code]).toEqual([403, 'forbidden']);
  }
  const stranger = await registerPerson(ctx);
  expect((await remove(person, factorId, stranger)).body.code).toBe('forbidden');
  // A factor of another user, at the path of one's own.
  expect((await remove(stranger, factorId)).body.code).toBe('not_found');
  expect((await list(person, support)).factors).toHaveLength(1);
  expect((await remove(person, factorId, support)).status).toBe(204);
  const chief = await logInAdmin(ctx);
  const { factorId: of } = await addAuthenticator(ctx, chief);
  expect((await remove(chief, of, support)).body.code).toBe('forbidden');
  const removed = (await mail.eventsOf(person.user.id)).filter(({ type }) => type === 'user.factor_removed');
  expect(removed.map(({ data }) => data)).toEqual([{ id: person.user.id, factorId, factorType: 'totp' }]);
});

test('each change sends a notice', async () => {
  const person = await registerPerson(ctx);
  const { factorId } = await addAuthenticator(ctx, person);
  const [code = ''] = await recoveryCodes(ctx, person);
  await prove(person, { type: 'recovery_code', code });
  await remove(person, factorId);
  const mails = (await mail.deliver()).filter(({ recipients }) =>
    recipients.includes(person.user.email ?? ''),
  );
  expect(mails.map(({ subject }) => subject)).toEqual([
    expect.stringContaining('Confirm'),
    'An authenticator app was added to your Rollcall account',
    'New recovery codes for your Rollcall account',
    'A recovery code of your Rollcall account was used',
    'An authenticator app was removed from your Rollcall account',
  ]);
});

test('a deleted user leaves none of it', async () => {
  const person = await registerPerson(ctx);
  await addAuthenticator(ctx, person);
  await recoveryCodes(ctx, person);
  await logIn(person);
  await call(deleteUser, ctx, { ...own(person), method: 'DELETE' });
  for (const table of ['factors', 'recovery_codes', 'factor_challenges'] as const) {
    const rows = await ctx.db
      .selectFrom(table)
      .select('user_id')
      .where('user_id', '=', person.user.id)
      .execute();
    expect([table, rows]).toEqual([table, []]);
  }
});

describe('a role that requires a factor', () => {
  const token = () => admin.accessToken;
  const role = (name: string, body: object) =>
    call(putRole, ctx, { method: 'PUT', params: { name }, body, token: token() });
  const grant = ({ user }: Person, name: string) =>
    call(changeRole, ctx, { method: 'PUT', params: { id: user.id }, body: { role: name }, token: token() });

  test('is shown, and stays what it is for a client that does not know it', async () => {
    const permissions = ['users:read'];
    const created = await role('guarded', { permissions, requiresFactor: true });
    expect([created.status, created.body]).toEqual([
      201,
      { name: 'guarded', permissions, requiresFactor: true },
    ]);
    expect((await role('guarded', { permissions: [] })).body.requiresFactor).toBe(true);
    const { roles } = (await call(listRoles, ctx, { token: token() })).body;
    expect(roles).toContainEqual({ name: 'guarded', permissions: [], requiresFactor: true });
    expect((await role('guarded', { permissions: [], requiresFactor: false })).body.requiresFactor).toBe(
      false,
    );
  });

  test('lets its users set one up, and nothing else, until the session has proven one', async () => {
    await role('careful', { permissions: ['users:read'], requiresFactor: true });
    const person = await registerPerson(ctx);
    const before = (await logIn(person)).body;
    await grant(person, 'careful');
    const refused = async (accessToken: string) => {
      for (const [handler, params] of [
        [getUser, { id: 'me' }],
        [listUsers, {}],
        [listSessions, { id: 'me' }],
        [listFactors, { id: admin.user.id }],
        [removePassword, { id: 'me' }],
      ] as const) {
        const reply = await call(handler, ctx, { token: accessToken, params });
        expect([reply.status, reply.body.code]).toEqual([403, 'second_factor_setup_required']);
      }
    };
    await refused(person.accessToken);
    expect((await call(getMe, ctx, { token: person.accessToken })).status).toBe(200);
    const app = await addAuthenticator(ctx, person);
    await recoveryCodes(ctx, person);
    expect((await call(listUsers, ctx, { token: person.accessToken })).status).toBe(200);
    const { body } = await call(refresh, ctx, {
      method: 'POST',
      body: { refreshToken: person.refreshToken },
    });
    expect(claimsOf(body.accessToken).amr.sort()).toEqual(['mfa', 'otp', 'pwd']);
    // Another session from before has not proven it. It may log out, or prove it.
    await refused(before.accessToken);
    expect((await prove(before, { code: app.code() })).status).toBe(200);
    expect((await call(listUsers, ctx, { token: before.accessToken })).status).toBe(200);
    // Without the factor, the sessions that had proven it are no better.
    await remove(person, app.factorId, admin);
    await refused(before.accessToken);
    expect((await call(logout, ctx, { method: 'POST', token: before.accessToken })).status).toBe(200);
  });
});

describe('the keys', () => {
  const key = (letter: string) => Buffer.alloc(32, letter).toString('base64');
  const withKeys = (keys: string): TestContext => ({
    ...ctx,
    config: {
      ...ctx.config,
      factors: readConfig({
        DATABASE_URL: 'postgres://x/x',
        RABBITMQ_URL: 'amqp://x',
        JWT_SECRET: 'x'.repeat(32),
        ENCRYPTION_KEYS: keys,
      }).factors,
    },
  });
  const enter = async (person: Person, code: string, at: TestContext, type = 'totp') => {
    const { factorToken } = (await logIn(person, at)).body;
    return call(loginFactor, at, { method: 'POST', body: { factorToken, type, code } });
  };

  test('rotate: a new one in front of the old, whose secrets are sealed again when they are used', async () => {
    const person = await registerPerson(ctx);
    const [old, both, fresh] = [withKeys(key('o')), withKeys(`${key('n')}, ${key('o')}`), withKeys(key('n'))];
    const { secret } = await addAuthenticator({ ...old, clock: ctx.clock }, person);
    const code = () => codeOf(secret, ctx.clock.now);
    expect((await enter(person, code(), fresh)).status).toBe(503);
    expect((await enter(person, code(), both)).status).toBe(200);
    later(ctx, 30);
    expect((await enter(person, code(), fresh)).status).toBe(200);
    later(ctx, 30);
    expect((await enter(person, code(), old)).status).toBe(503);
  });

  test('without one there are no authenticator apps, and everything else works', async () => {
    const person = await registerPerson(ctx);
    const { code } = await addAuthenticator(ctx, person);
    const [recovery = ''] = await recoveryCodes(ctx, person);
    const none = withKeys('');
    const other = await registerPerson(none);
    expect((await logIn(other, none)).status).toBe(200);
    const refused = await call(addTotp, none, own(other));
    expect([refused.status, refused.body.code]).toEqual([503, 'unavailable']);
    expect(JSON.stringify(refused.body)).not.toContain('ENCRYPTION_KEYS');
    expect(JSON.stringify(ctx.logged.at(-2))).toContain('ENCRYPTION_KEYS');
    expect((await enter(person, code(), none)).status).toBe(503);
    expect((await enter(person, recovery, none, 'recovery_code')).status).toBe(200);
  });
});

test('attempts are limited', async () => {
  const limited = await testContext({ RATE_LIMITS: 'on', RATE_LIMIT_UPDATE_ACCOUNT: '2/3600' });
  const person = await registerPerson(limited);
  const statuses = [];
  for (let index = 0; index < 3; index++) statuses.push((await call(addTotp, limited, own(person))).status);
  expect(statuses).toEqual([201, 201, 429]);
  await limited.close();
});
