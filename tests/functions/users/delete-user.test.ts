import { handler as changeRole } from '../../../functions/users/change-role';
import { handler as deleteUser } from '../../../functions/users/delete-user';
import { handler as getMe } from '../../../functions/users/get-me';
import { parseEvent } from '../../../shared/events/catalog';
import { lockRole } from '../../../shared/roles/role-store';
import { openClient, Received } from '../../setup/broker';
import { type TestContext, testContext } from '../../setup/context';
import { untilLockIsAwaited } from '../../setup/database';
import { storedEvents } from '../../setup/events';
import { call } from '../../setup/http';
import { logInAdmin, type Person, registerPerson } from '../../setup/people';

let ctx: TestContext;
let admin: Person;
beforeEach(async () => {
  ctx = await testContext();
  admin = await logInAdmin(ctx);
});
afterEach(() => ctx.close());

const remove = (person: Person, id = 'me', headers: Record<string, string> = {}) =>
  call(deleteUser, ctx, { method: 'DELETE', params: { id }, token: person.accessToken, headers });

test('answers with who it was; then they are gone, and their names are free', async () => {
  const person = await registerPerson(ctx);
  const { status, body } = await remove(person);
  expect([status, body]).toEqual([200, person.user]);
  expect((await call(getMe, ctx, { token: person.accessToken })).status).toBe(401);
  const again = await remove(admin, person.user.id);
  expect([again.status, again.body.code]).toEqual([404, 'not_found']);
  const { username, email } = person.user;
  await registerPerson(ctx, { username, email });
});

test('publishes the end of the sessions and then user.deleted, in order', async () => {
  const { model, channel } = await openClient();
  const received = await Received.bound(channel, ctx.config.events.exchange);
  const person = await registerPerson(ctx);
  await remove(person);
  await received.atLeast(3);
  const events = received.bodies().filter((event) => event['subject'] === person.user.id);
  expect(events.map((event) => [event['type'], event['sequence']])).toEqual([
    ['user.created', '0000000001'],
    ['session.revoked', expect.stringMatching(/^0000000001\.000000000\d$/)],
    ['user.deleted', '0000000002'],
  ]);
  expect(events[2]?.['data']).toEqual({ id: person.user.id });
  await model.close();
});

test('leaves nothing of the person in the event log, and every event valid', async () => {
  const person = await registerPerson(ctx, {
    displayName: 'Gorden Freewoman',
    metadata: { plan: 'secret-plan' },
  });
  await remove(person);
  const rows = await ctx.db.selectFrom('events').selectAll().where('subject', '=', person.user.id).execute();
  const text = JSON.stringify(rows);
  for (const trace of [person.user.username, person.user.email, 'Freewoman', 'secret-plan', '192.0.2.1']) {
    expect(text).not.toContain(trace);
  }
  expect(rows).toHaveLength(3);
  for (const event of await storedEvents(ctx)) {
    expect(parseEvent(Buffer.from(JSON.stringify(event)))).not.toBeNull();
  }
  for (const table of ['sessions', 'refresh_tokens'] as const) {
    const { n } = await ctx.db
      .selectFrom(table)
      .select((eb) => eb.fn.countAll<string>().as('n'))
      .executeTakeFirstOrThrow();
    expect(Number(n)).toBe(1);
  }
});

test('honours If-Match', async () => {
  const person = await registerPerson(ctx);
  const answer = await remove(person, 'me', { 'if-match': '"2"' });
  expect([answer.status, answer.body.code]).toEqual([412, 'version_mismatch']);
  expect((await remove(person, 'me', { 'if-match': '"1"' })).status).toBe(200);
});

test('of two at once, one deletes and the other finds nobody', async () => {
  const person = await registerPerson(ctx);
  const answers = await Promise.all([remove(admin, person.user.id), remove(admin, person.user.id)]);
  expect(answers.map((answer) => answer.status).sort()).toEqual([200, 404]);
});

test('nobody deletes somebody else without users:write, nor learns whether they exist', async () => {
  const [a, b] = [await registerPerson(ctx), await registerPerson(ctx)];
  for (const id of [b.user.id, '01890000-0000-7000-8000-000000000000']) {
    const answer = await remove(a, id);
    expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
  }
});

describe('the last administrator', () => {
  test('stays', async () => {
    const answer = await remove(admin);
    expect([answer.status, answer.body.code]).toEqual([409, 'last_admin']);
  });

  test('stays too when two would do away with each other at the same moment', async () => {
    const second = await logInAdmin(ctx);
    const demote = (by: Person, whom: Person) =>
      call(changeRole, ctx, {
        method: 'PUT',
        params: { id: whom.user.id },
        token: by.accessToken,
        body: { role: 'user' },
      });
    const { answers } = await ctx.db.transaction().execute(async (tx) => {
      await lockRole(tx, 'admin');
      const answers = Promise.all([remove(admin, second.user.id), demote(second, admin)]);
      await untilLockIsAwaited(ctx, 2);
      return { answers };
    });
    const codes = (await answers).map((answer) => answer.body.code ?? 'done').sort();
    expect(codes).toEqual(['done', 'last_admin']);
  });
});
