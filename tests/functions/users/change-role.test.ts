import { handler as changeRole } from '../../../functions/users/change-role';
import { handler as listUsers } from '../../../functions/users/list-users';
import { lockRole } from '../../../shared/roles/role-store';
import { type TestContext, testContext } from '../../setup/context';
import { untilLockIsAwaited } from '../../setup/database';
import { call } from '../../setup/http';
import { logInAdmin, type Person, registerPerson } from '../../setup/people';
import { logInWith } from '../../setup/roles';

let ctx: TestContext;
let admin: Person;
beforeEach(async () => {
  ctx = await testContext();
  admin = await logInAdmin(ctx);
});
afterEach(() => ctx.close());

const change = (by: Person, id: string, role: unknown, headers: Record<string, string> = {}) =>
  call(changeRole, ctx, {
    method: 'PUT',
    params: { id },
    token: by.accessToken,
    body: { role },
    headers,
  });
const mayList = async (person: Person) =>
  (await call(listUsers, ctx, { token: person.accessToken })).status === 200;

test('counts at the next request, with the token that the user has already', async () => {
  const person = await registerPerson(ctx);
  expect(await mayList(person)).toBe(false);
  const { status, headers, body } = await change(admin, person.user.id, 'admin');
  expect([status, headers['etag'], body]).toMatchObject([200, '"2"', { role: 'admin', version: 2 }]);
  expect(await mayList(person)).toBe(true);
  await change(admin, person.user.id, 'user');
  expect(await mayList(person)).toBe(false);

  const event = await ctx.db
    .selectFrom('events')
    .selectAll()
    .where('type', '=', 'user.role_changed')
    .orderBy('position', 'desc')
    .executeTakeFirstOrThrow();
  expect(event).toMatchObject({ sequence: '0000000003', actor_id: admin.user.id });
  expect(event.data).toEqual({ id: person.user.id, from: 'admin', to: 'user' });
});

test('the same role again changes nothing', async () => {
  const person = await registerPerson(ctx);
  expect((await change(admin, person.user.id, 'user')).body).toEqual(person.user);
});

test('the last administrator keeps the role, also when two demote each other at the same moment', async () => {
  const alone = await change(admin, 'me', 'user');
  expect([alone.status, alone.body.code]).toEqual([409, 'last_admin']);
  const second = await logInAdmin(ctx);
  const { answers } = await ctx.db.transaction().execute(async (tx) => {
    await lockRole(tx, 'admin');
    const answers = Promise.all([
      change(admin, second.user.id, 'user'),
      change(second, admin.user.id, 'user'),
    ]);
    await untilLockIsAwaited(ctx, 2);
    return { answers };
  });
  expect((await answers).map((answer) => answer.body.code ?? 'done').sort()).toEqual(['done', 'last_admin']);
});

test('nobody grants what they lack, nor takes from one who holds more', async () => {
  const person = await registerPerson(ctx);
  const granter = await logInWith(ctx, admin, ['roles:write']);
  for (const [id, role] of [
    [person.user.id, 'admin'],
    ['me', 'admin'],
    [admin.user.id, 'user'],
  ] as const) {
    const answer = await change(granter, id, role);
    expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
  }
  expect((await change(person, 'me', 'admin')).status).toBe(403);
});

test('an unknown role, an unknown user and an old version have their codes', async () => {
  const person = await registerPerson(ctx);
  const role = await change(admin, person.user.id, 'wizard');
  expect([role.status, role.body.errors]).toEqual([422, [{ path: 'role', message: 'is not a known role' }]]);
  expect((await change(admin, '01890000-0000-7000-8000-000000000000', 'user')).status).toBe(404);
  expect((await change(admin, 'nobody', 'user')).status).toBe(404);
  expect((await change(admin, person.user.id, 'admin', { 'if-match': '"5"' })).status).toBe(412);
  expect((await change(admin, person.user.id, 7)).status).toBe(422);
});
