// PUT and DELETE /users/{id}/suspension: who may do it to whom, what it says to whom, and what it ends.

import { sql } from 'kysely';
import { audit } from '../../../functions/consumers/audit';
import { handler as listAudit } from '../../../functions/events/list-audit';
import { handler as changeRole } from '../../../functions/users/change-role';
import { handler as deleteUser } from '../../../functions/users/delete-user';
import { handler as getMe } from '../../../functions/users/get-me';
import { handler as getUser } from '../../../functions/users/get-user';
import { handler as listUsers } from '../../../functions/users/list-users';
import { handler as updateUser } from '../../../functions/users/update-user';
import { PERMISSIONS } from '../../../shared/roles/permissions';
import { lockRole } from '../../../shared/roles/role-store';
import { lockUserRow } from '../../../shared/users/user-store';
import { consume } from '../../setup/consume';
import { type TestContext, testContext } from '../../setup/context';
import { untilLockIsAwaited } from '../../setup/database';
import { storedEvents } from '../../setup/events';
import { later } from '../../setup/factors';
import { call } from '../../setup/http';
import type { TestReply } from '../../setup/http-event';
import { readEvents } from '../../setup/mail-flow';
import { logInAdmin, type Person, registerPerson } from '../../setup/people';
import { logInWith } from '../../setup/roles';
import { countActiveSessions, restore, suspend } from '../../setup/suspension';

const NOBODY = '01890000-0000-7000-8000-000000000000';

let ctx: TestContext;
let admin: Person;
beforeAll(async () => {
  ctx = await testContext();
});
beforeEach(async () => {
  admin = await logInAdmin(ctx);
});
afterAll(() => ctx.close());

const inSeconds = (seconds: number) => new Date(ctx.clock.now.getTime() + seconds * 1000).toISOString();
const told = ({ status, body }: TestReply) => [status, body.code];
const read = (by: Person, id: string, headers: Record<string, string> = {}) =>
  call(getUser, ctx, { params: { id }, token: by.accessToken, headers });
const eventsAbout = async (id: string, ...types: string[]) =>
  (await readEvents(ctx)).filter(({ subject, type }) => subject === id && types.includes(type));

describe('suspends', () => {
  test('ends every session and their access tokens, and says so in one event each', async () => {
    const person = await registerPerson(ctx);
    const until = inSeconds(3600);
    const { status, headers, body } = await suspend(ctx, admin, person.user.id, { reason: 'Spam', until });
    expect([status, headers['etag']]).toEqual([200, '"2"']);
    const since = ctx.clock.now.toISOString();
    expect(body).toEqual({
      ...person.user,
      version: 2,
      updatedAt: since,
      suspension: { since, until, reason: 'Spam' },
    });
    expect((await call(getMe, ctx, { token: person.accessToken })).status).toBe(401);
    expect(await countActiveSessions(ctx, person.user.id)).toBe(0);
    const [suspended, revoked, ...others] = await eventsAbout(
      person.user.id,
      'user.suspended',
      'session.revoked',
    );
    expect(others).toEqual([]);
    expect(suspended).toMatchObject({ sequence: '0000000002', data: { id: person.user.id, until } });
    expect(revoked).toMatchObject({
      type: 'session.revoked',
      sequence: '0000000002.0000000001',
      data: { userId: person.user.id, reason: 'revoked', cause: 'user_suspended' },
    });
  });

  test.each([
    ['no body', undefined],
    ['an empty body', {}],
    ['null', { reason: null, until: null }],
  ])('until restored, with %s', async (_, body) => {
    const { user } = await registerPerson(ctx);
    const reply = await suspend(ctx, admin, user.id, body);
    expect(reply.body.suspension).toEqual({ since: expect.any(String), until: null, reason: null });
    const [event] = await eventsAbout(user.id, 'user.suspended');
    expect(event?.data).toEqual({ id: user.id, until: null });
  });

  test('replaces: since stays, and the same again changes nothing', async () => {
    const { user } = await registerPerson(ctx);
    const until = inSeconds(3600);
    const first = await suspend(ctx, admin, user.id, { until });
    later(ctx, 60);
    expect((await suspend(ctx, admin, user.id, { until })).body).toEqual(first.body);
    const { body } = await suspend(ctx, admin, user.id, { reason: 'Abuse' });
    const { since } = first.body.suspension;
    expect([body.version, body.suspension]).toEqual([3, { since, until: null, reason: 'Abuse' }]);
    const events = await eventsAbout(user.id, 'user.suspended');
    expect(events.map(({ data }) => data)).toEqual([
      { id: user.id, until },
      { id: user.id, until: null },
    ]);
  });

  test('after the end of an earlier one begins anew', async () => {
    const person = await registerPerson(ctx);
    await suspend(ctx, admin, person.user.id, { until: inSeconds(60), reason: 'First' });
    later(ctx, 60);
    const { body } = await suspend(ctx, admin, person.user.id, {});
    expect(body.suspension).toEqual({ since: ctx.clock.now.toISOString(), until: null, reason: null });
  });

  test('restores: the sessions stay ended, and only who is suspended can be restored', async () => {
    const person = await registerPerson(ctx);
    expect(told(await restore(ctx, admin, person.user.id))).toEqual([404, 'not_found']);
    await suspend(ctx, admin, person.user.id, { reason: 'Spam' });
    const { status, headers, body } = await restore(ctx, admin, person.user.id);
    expect([status, headers['etag'], body.suspension, body.version]).toEqual([200, '"3"', null, 3]);
    expect((await call(getMe, ctx, { token: person.accessToken })).status).toBe(401);
    expect(told(await restore(ctx, admin, person.user.id))).toEqual([404, 'not_found']);
    const events = await eventsAbout(person.user.id, 'user.restored');
    expect(events).toMatchObject([{ sequence: '0000000003', data: { id: person.user.id } }]);
    const row = await ctx.db
      .selectFrom('users')
      .select(['suspended_at', 'suspended_until', 'suspension_reason'])
      .where('id', '=', person.user.id)
      .executeTakeFirst();
    expect(row).toEqual({ suspended_at: null, suspended_until: null, suspension_reason: null });
  });
});

describe('who may', () => {
  test('not oneself, by whatever name', async () => {
    for (const id of ['me', admin.user.id, admin.user.id.toUpperCase()]) {
      const reply = await suspend(ctx, admin, id, {});
      expect([...told(reply), reply.body.detail]).toEqual([
        403,
        'forbidden',
        'You cannot suspend your own user',
      ]);
    }
    expect(await countActiveSessions(ctx, admin.user.id)).toBe(1);
  });

  test('users:write, over nobody whose role has more, after a recent proof', async () => {
    const person = await registerPerson(ctx);
    const writer = await logInWith(ctx, admin, ['users:write']);
    for (const act of [suspend, restore]) {
      expect(told(await act(ctx, person, writer.user.id))).toEqual([403, 'forbidden']);
      expect(told(await act(ctx, writer, admin.user.id))).toEqual([403, 'forbidden']);
      expect(told(await act(ctx, admin, NOBODY))).toEqual([404, 'not_found']);
      expect(told(await act(ctx, admin, 'nobody'))).toEqual([404, 'not_found']);
    }
    expect((await suspend(ctx, writer, person.user.id)).status).toBe(200);
    expect((await restore(ctx, writer, person.user.id)).status).toBe(200);
    later(ctx, 600);
    for (const act of [suspend, restore])
      expect(told(await act(ctx, admin, person.user.id))).toEqual([401, 'reauthentication_required']);
  });

  test('only on the version that was read, if one is named', async () => {
    const { user } = await registerPerson(ctx);
    const stale = await suspend(ctx, admin, user.id, {}, { 'if-match': '"2"' });
    expect([...told(stale), stale.headers['etag']]).toEqual([412, 'version_mismatch', '"1"']);
    expect((await suspend(ctx, admin, user.id, {}, { 'if-match': '"1"' })).status).toBe(200);
    expect(told(await restore(ctx, admin, user.id, { 'if-match': '"1"' }))).toEqual([
      412,
      'version_mismatch',
    ]);
    expect((await restore(ctx, admin, user.id, { 'if-match': '"2"' })).status).toBe(200);
  });
});

describe('an administrator who can sign in always remains', () => {
  let shared: TestContext;
  beforeEach(async () => {
    shared = ctx;
    ctx = await testContext();
    admin = await logInAdmin(ctx);
  });
  afterEach(async () => {
    await ctx.close();
    ctx = shared;
  });

  const demote = (by: Person, id: string) =>
    call(changeRole, ctx, { method: 'PUT', params: { id }, token: by.accessToken, body: { role: 'user' } });
  const remove = (by: Person, id: string) =>
    call(deleteUser, ctx, { method: 'DELETE', params: { id }, token: by.accessToken });

  test('the only one who is not suspended is neither demoted nor deleted; a suspended one is', async () => {
    const [second, third] = [await logInAdmin(ctx), await logInAdmin(ctx)];
    expect((await suspend(ctx, admin, second.user.id)).status).toBe(200);
    expect((await suspend(ctx, admin, third.user.id)).status).toBe(200);
    expect(told(await demote(admin, 'me'))).toEqual([409, 'last_admin']);
    expect(told(await remove(admin, 'me'))).toEqual([409, 'last_admin']);
    expect((await demote(admin, second.user.id)).status).toBe(200);
    expect((await remove(admin, third.user.id)).status).toBe(200);
  });

  test('nor suspended, by whoever has the permissions of one', async () => {
    const deputy = await logInWith(ctx, admin, [...PERMISSIONS]);
    expect(told(await suspend(ctx, deputy, admin.user.id))).toEqual([409, 'last_admin']);
    expect(await countActiveSessions(ctx, admin.user.id)).toBe(1);
    const second = await logInAdmin(ctx);
    expect((await suspend(ctx, deputy, admin.user.id)).status).toBe(200);
    expect(told(await suspend(ctx, deputy, second.user.id))).toEqual([409, 'last_admin']);
    // Who is suspended already is not the last.
    expect((await suspend(ctx, deputy, admin.user.id, { reason: 'Left' })).status).toBe(200);
  });

  test('one whose suspension has ended counts again, at the second', async () => {
    const second = await logInAdmin(ctx);
    await suspend(ctx, admin, second.user.id, { until: inSeconds(60) });
    later(ctx, 59);
    expect(told(await demote(admin, 'me'))).toEqual([409, 'last_admin']);
    later(ctx, 1);
    expect((await demote(admin, 'me')).status).toBe(200);
  });

  test.each([
    ['suspend each other', (by: Person, of: Person) => suspend(ctx, by, of.user.id)],
    [
      'suspend and demote',
      (by: Person, of: Person) => (by === admin ? suspend(ctx, by, of.user.id) : demote(by, of.user.id)),
    ],
    [
      'suspend and delete themselves',
      (by: Person, of: Person) => (by === admin ? suspend(ctx, by, of.user.id) : remove(admin, 'me')),
    ],
  ])('also when the last two %s at the same moment', async (_, act) => {
    const second = await logInAdmin(ctx);
    const { answers } = await ctx.db.transaction().execute(async (tx) => {
      await lockRole(tx, 'admin');
      const answers = Promise.all([act(admin, second), act(second, admin)]);
      await untilLockIsAwaited(ctx, 2);
      return { answers };
    });
    expect((await answers).map(({ body }) => body.code ?? 'done').sort()).toEqual(['done', 'last_admin']);
    const admins = await ctx.db.selectFrom('users').selectAll().where('role', '=', 'admin').execute();
    expect(admins.filter(({ suspended_at }) => suspended_at === null)).toHaveLength(1);
  });
});

describe('what is said to whom', () => {
  const REASON = 'Chargeback, see ticket 4711';

  test('the reason to those who may read users; never in an event, the audit log, or to others', async () => {
    const { user } = await registerPerson(ctx);
    const reader = await logInWith(ctx, admin, ['users:read']);
    const writer = await logInWith(ctx, admin, ['users:write']);
    await suspend(ctx, admin, user.id, { reason: REASON });
    const whole = { since: ctx.clock.now.toISOString(), until: null, reason: REASON };
    expect((await read(reader, user.id)).body.suspension).toEqual(whole);
    const { body: list } = await call(listUsers, ctx, { token: reader.accessToken });
    expect(list.users.find(({ id }: { id: string }) => id === user.id).suspension).toEqual(whole);
    const change = { method: 'PUT', params: { id: user.id }, body: { displayName: 'X' } };
    const changed = await call(updateUser, ctx, { ...change, token: writer.accessToken });
    expect([changed.status, changed.body.suspension]).toEqual([200, { since: whole.since, until: null }]);
    expect((await call(updateUser, ctx, { ...change, token: admin.accessToken })).body.suspension).toEqual(
      whole,
    );

    await consume(
      audit(() => ctx),
      await storedEvents(ctx),
    );
    const { body: log } = await call(listAudit, ctx, {
      query: { subject: user.id },
      token: admin.accessToken,
    });
    const entries = new Map(log.entries.map((entry: { type: string }) => [entry.type, entry]));
    expect(entries.get('user.suspended')).toMatchObject({ actor: admin.user.id, details: { until: null } });
    expect(entries.get('session.revoked')).toMatchObject({ details: { cause: 'user_suspended' } });
    for (const told of [await readEvents(ctx), log, ctx.logged])
      expect(JSON.stringify(told)).not.toContain('Chargeback');
  });

  test('the reason goes with the user from every table', async () => {
    const { user } = await registerPerson(ctx);
    await suspend(ctx, admin, user.id, { reason: REASON });
    await call(deleteUser, ctx, { method: 'DELETE', params: { id: user.id }, token: admin.accessToken });
    const { rows } = await sql<{ text: string }>`
      select query_to_xml('select * from ' || quote_ident(table_name), true, true, '')::text as text
      from information_schema.tables where table_schema = 'public'`.execute(ctx.db);
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.filter(({ text }) => text.includes(user.id) && text.includes('Chargeback'))).toEqual([]);
  });

  test('a user is no longer suspended at the second, for caches too', async () => {
    const { user } = await registerPerson(ctx);
    await suspend(ctx, admin, user.id, { until: inSeconds(60), reason: REASON });
    const { headers } = await read(admin, user.id);
    const cached = { 'if-none-match': headers['etag'] ?? '' };
    later(ctx, 59);
    expect((await read(admin, user.id, cached)).status).toBe(304);
    later(ctx, 1);
    const after = await read(admin, user.id, cached);
    expect([after.status, after.body.suspension]).toEqual([200, null]);
    // The tag still names the version for a change.
    const restored = await restore(ctx, admin, user.id, { 'if-match': after.headers['etag'] ?? '' });
    expect([restored.status, restored.body.version]).toEqual([200, 3]);
  });

  test('GET /users finds the suspended of now, and the others', async () => {
    const [a, b, c] = [await registerPerson(ctx), await registerPerson(ctx), await registerPerson(ctx)];
    await suspend(ctx, admin, a.user.id);
    await suspend(ctx, admin, b.user.id, { until: inSeconds(60) });
    const ours = [a, b, c].map(({ user }) => user.id);
    const found = async (query: Record<string, string>) =>
      (await call(listUsers, ctx, { query, token: admin.accessToken })).body.users
        .map(({ id }: { id: string }) => id)
        .filter((id: string) => ours.includes(id));
    expect(await found({ suspended: 'true' })).toEqual([b.user.id, a.user.id]);
    expect(await found({ suspended: 'true', limit: '1' })).toEqual([b.user.id]);
    expect(await found({ suspended: 'true', role: 'admin' })).toEqual([]);
    expect(await found({ suspended: 'false' })).toEqual([c.user.id]);
    later(ctx, 60);
    expect(await found({ suspended: 'true' })).toEqual([a.user.id]);
    expect(await found({ suspended: 'false' })).toEqual([c.user.id, b.user.id]);
    for (const suspended of ['', 'TRUE', '1', 'yes', 'null']) {
      const reply = await call(listUsers, ctx, { query: { suspended }, token: admin.accessToken });
      expect([suspended, ...told(reply)]).toEqual([suspended, 422, 'invalid_request']);
    }
  });
});

describe('input', () => {
  let id: string;
  beforeEach(async () => {
    ({ id } = (await registerPerson(ctx)).user);
  });

  test.each<[unknown, string]>([
    [{ reason: '' }, 'reason'],
    [{ reason: '  ' }, 'reason'],
    [{ reason: 'x'.repeat(201) }, 'reason'],
    [{ reason: 7 }, 'reason'],
    [{ reason: ['x'] }, 'reason'],
    [{ reason: 'a\0b' }, 'reason'],
    [{ reason: '\ud800' }, 'reason'],
    [{ until: 1764000000 }, 'until'],
    [{ until: '' }, 'until'],
    [{ until: 'tomorrow' }, 'until'],
    [{ until: '2999-02-30T00:00:00Z' }, 'until'],
    [{ until: '2999-01-01' }, 'until'],
    [{ until: '2999-01-01T00:00:00' }, 'until'],
    [{ until: '+12999-01-01T00:00:00Z' }, 'until'],
    [{ until: '2999-01-01T00:00:00+23:00' }, 'until'],
    [{ until: '2001-01-01T00:00:00Z' }, 'until'],
    [{ since: '2999-01-01T00:00:00Z' }, 'since'],
    [{ __proto__: null, constructor: 1 }, 'constructor'],
    [[], ''],
    ['"x"', ''],
    [null, ''],
  ])('refuses %j', async (body, path) => {
    const reply = await suspend(ctx, admin, id, body);
    expect(told(reply)).toEqual([422, 'invalid_request']);
    expect(reply.body.errors[0].path).toBe(path);
    expect((await read(admin, id)).body).toMatchObject({ version: 1, suspension: null });
  });

  test('the end lies in the future, by a millisecond at least', async () => {
    for (const seconds of [-60, -0.001, 0]) {
      const reply = await suspend(ctx, admin, id, { until: inSeconds(seconds) });
      expect(reply.body.errors).toEqual([{ path: 'until', message: 'must be in the future' }]);
    }
    expect((await suspend(ctx, admin, id, { until: inSeconds(0.001) })).status).toBe(200);
  });

  test('takes any offset and the last moment that there is, and shows UTC', async () => {
    for (const [until, shown] of [
      ['2999-01-01T02:00:00+02:00', '2999-01-01T00:00:00.000Z'],
      ['9999-12-31T23:59:59.999999Z', '9999-12-31T23:59:59.999Z'],
    ]) {
      expect((await suspend(ctx, admin, id, { until })).body.suspension.until).toBe(shown);
      expect((await read(admin, id)).body.suspension.until).toBe(shown);
    }
  });

  test('keeps a reason of 200 characters of any script as it is, without spaces around it', async () => {
    for (const reason of ['🦊'.repeat(200), '<b>"; drop table users; --</b>', 'a\nb'])
      expect((await suspend(ctx, admin, id, { reason: ` ${reason} ` })).body.suspension.reason).toBe(reason);
  });
});

test('a change that waits for a suspension keeps it', async () => {
  const { user } = await registerPerson(ctx);
  const change = { method: 'PUT', params: { id: user.id }, body: { displayName: 'X' } };
  const { answers } = await ctx.db.transaction().execute(async (tx) => {
    await lockUserRow(tx, user.id);
    const first = suspend(ctx, admin, user.id, { reason: 'Spam' });
    await untilLockIsAwaited(ctx, 1);
    const second = call(updateUser, ctx, { ...change, token: admin.accessToken });
    await untilLockIsAwaited(ctx, 2);
    return { answers: Promise.all([first, second]) };
  });
  expect((await answers).map(({ status }) => status)).toEqual([200, 200]);
  expect((await read(admin, user.id)).body).toMatchObject({
    version: 3,
    displayName: 'X',
    suspension: { reason: 'Spam' },
  });
});
