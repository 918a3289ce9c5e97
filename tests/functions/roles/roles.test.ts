import { handler as deleteRole } from '../../../functions/roles/delete-role';
import { handler as listRoles } from '../../../functions/roles/list-roles';
import { handler as putRole } from '../../../functions/roles/put-role';
import { handler as listUsers } from '../../../functions/users/list-users';
import { PERMISSIONS } from '../../../shared/roles/permissions';
import { type TestContext, testContext } from '../../setup/context';
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

const put = (by: Person, name: string, permissions: unknown) =>
  call(putRole, ctx, { method: 'PUT', params: { name }, token: by.accessToken, body: { permissions } });
const remove = (by: Person, name: string) =>
  call(deleteRole, ctx, { method: 'DELETE', params: { name }, token: by.accessToken });
const list = async (by: Person) => (await call(listRoles, ctx, { token: by.accessToken })).body.roles;

test('are made, changed, listed and deleted', async () => {
  const made = await put(admin, 'support', ['users:write', 'users:read', 'users:read']);
  expect([made.status, made.body]).toEqual([
    201,
    { name: 'support', permissions: ['users:read', 'users:write'], requiresFactor: false },
  ]);
  const changed = await put(admin, 'support', ['users:read']);
  expect([changed.status, changed.body]).toEqual([
    200,
    { name: 'support', permissions: ['users:read'], requiresFactor: false },
  ]);
  expect(await list(admin)).toEqual([
    {
      name: 'admin',
      permissions: expect.arrayContaining(['roles:write', 'audit:read']),
      requiresFactor: false,
    },
    { name: 'support', permissions: ['users:read'], requiresFactor: false },
    { name: 'user', permissions: [], requiresFactor: false },
  ]);
  expect((await remove(admin, 'support')).status).toBe(204);
  const again = await remove(admin, 'support');
  expect([again.status, again.body.code]).toEqual([404, 'not_found']);
});

test('a change counts at the next request of those who have the role', async () => {
  const person = await logInWith(ctx, admin, ['users:read']);
  const listing = async () => (await call(listUsers, ctx, { token: person.accessToken })).status;
  expect(await listing()).toBe(200);
  await put(admin, person.user.role, []);
  expect(await listing()).toBe(403);
});

test('one that somebody has stays', async () => {
  const person = await logInWith(ctx, admin, []);
  const answer = await remove(admin, person.user.role);
  expect([answer.status, answer.body.code]).toEqual([409, 'role_in_use']);
});

test.each(['user', 'admin'])('%s is fixed', async (name) => {
  for (const answer of [await put(admin, name, []), await remove(admin, name)]) {
    expect([answer.status, answer.body.code]).toEqual([409, 'built_in_role']);
  }
});

test('a built-in role keeps its permissions, and can require a second factor', async () => {
  const own = await testContext();
  const { accessToken: token } = await logInAdmin(own);
  const role = (name: string, body: object) =>
    call(putRole, own, { method: 'PUT', params: { name }, body, token });
  const refused = await role('admin', { permissions: PERMISSIONS.slice(1), requiresFactor: true });
  expect([refused.status, refused.body.code]).toEqual([409, 'built_in_role']);
  const answer = await role('admin', { permissions: PERMISSIONS, requiresFactor: true });
  expect([answer.status, answer.body.requiresFactor]).toEqual([200, true]);
  const locked = await role('user', { permissions: [], requiresFactor: true });
  expect([locked.status, locked.body.code]).toEqual([403, 'second_factor_setup_required']);
  await own.close();
});

test('nobody gives a role what they lack, nor touches one that holds more', async () => {
  const limited = await logInWith(ctx, admin, ['roles:read', 'roles:write', 'users:read']);
  await put(admin, 'strong', ['users:write']);
  for (const answer of [
    await put(limited, 'mine', ['users:write']),
    await put(limited, 'strong', []),
    await remove(limited, 'strong'),
  ]) {
    expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
  }
  expect((await put(limited, 'mine', ['users:read'])).status).toBe(201);
});

test.each<[string, unknown, string]>([
  ['support', ['users:fly'], 'permissions.0'],
  ['support', 'users:read', 'permissions'],
  ['Support', [], 'name'],
  ['a'.repeat(33), [], 'name'],
  ['', [], 'name'],
])('refuses the name %j with %j', async (name, permissions, path) => {
  const answer = await put(admin, name, permissions);
  expect([answer.status, answer.body.errors[0].path]).toEqual([422, path]);
});

test('take roles:read to see and roles:write to change', async () => {
  const person = await registerPerson(ctx);
  expect((await call(listRoles, ctx, { token: person.accessToken })).status).toBe(403);
  expect((await put(person, 'mine', [])).status).toBe(403);
  expect((await remove(person, 'mine')).status).toBe(403);
});
