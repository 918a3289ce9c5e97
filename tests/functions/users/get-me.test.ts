import { handler as logout } from '../../../functions/auth/logout';
import { handler as putRole } from '../../../functions/roles/put-role';
import { handler as getMe } from '../../../functions/users/get-me';
import { handler as updateUser } from '../../../functions/users/update-user';
import { type TestContext, testContext } from '../../setup/context';
import { call } from '../../setup/http';
import { logInAdmin, type Person, registerPerson } from '../../setup/people';
import { logInWith } from '../../setup/roles';

let ctx: TestContext;
let person: Person;
beforeAll(async () => {
  ctx = await testContext();
  person = await registerPerson(ctx);
});
afterAll(() => ctx.close());

test('shows the caller, with the version as entity tag', async () => {
  const { status, headers, body } = await call(getMe, ctx, { token: person.accessToken });
  expect([status, headers['etag'], body]).toEqual([200, '"1"', { ...person.user, permissions: [] }]);
});

test('shows the permissions of the caller’s role; a change of the role is a new entity tag', async () => {
  const admin = await logInAdmin(ctx);
  const reader = await logInWith(ctx, admin, ['events:read', 'users:read']);
  const me = (headers: Record<string, string> = {}) =>
    call(getMe, ctx, { token: reader.accessToken, headers });
  const first = await me();
  expect(first.body.permissions).toEqual(['users:read', 'events:read']);
  const { etag = '' } = first.headers;
  expect((await me({ 'if-none-match': etag })).status).toBe(304);
  await call(putRole, ctx, {
    method: 'PUT',
    params: { name: reader.user.role },
    body: { permissions: ['events:read'] },
    token: admin.accessToken,
  });
  const second = await me({ 'if-none-match': etag });
  expect([second.status, second.body.permissions]).toEqual([200, ['events:read']]);
  // The tag still names the version that was read.
  const change = {
    method: 'PUT',
    params: { id: 'me' },
    body: { displayName: 'R' },
    token: reader.accessToken,
  };
  expect((await call(updateUser, ctx, { ...change, headers: { 'if-match': etag } })).status).toBe(200);
  expect((await call(updateUser, ctx, { ...change, headers: { 'if-match': etag } })).status).toBe(412);
});

test.each([['"1"'], ['W/"1"'], ['"7", "1"'], ['*']])('answers 304 to If-None-Match %s', async (tag) => {
  const answer = await call(getMe, ctx, { token: person.accessToken, headers: { 'if-none-match': tag } });
  expect([answer.status, answer.headers['etag'], answer.body]).toEqual([304, '"1"', undefined]);
});

test('answers 200 to an If-None-Match of another version', async () => {
  const answer = await call(getMe, ctx, { token: person.accessToken, headers: { 'if-none-match': '"2"' } });
  expect(answer.status).toBe(200);
});

test('without a token: 401, and which scheme to use', async () => {
  const answer = await call(getMe, ctx);
  expect([answer.status, answer.body.code]).toEqual([401, 'unauthorized']);
  expect(answer.headers['www-authenticate']).toBe('Bearer');
});

test.each([['Basic Z29yZGVuOng='], ['Bearer'], ['Bearer a b'], ['Bearer nonsense']])(
  'with the header "%s": 401 invalid_token',
  async (authorization) => {
    const answer = await call(getMe, ctx, { headers: { authorization } });
    expect([answer.status, answer.body.code]).toEqual([401, 'unauthorized']);
    expect(answer.headers['www-authenticate']).toBe('Bearer error="invalid_token"');
  },
);

test('a token ends with its time, by the clock of the context', async () => {
  const at = ctx.clock.now;
  ctx.clock.now = new Date(at.getTime() + 901_000);
  const answer = await call(getMe, ctx, { token: person.accessToken });
  ctx.clock.now = at;
  expect(answer.status).toBe(401);
});

test('a revoked session counts at once', async () => {
  const other = await registerPerson(ctx);
  await ctx.db
    .updateTable('sessions')
    .set({ revoked_at: ctx.clock.now })
    .where('user_id', '=', other.user.id)
    .execute();
  expect((await call(getMe, ctx, { token: other.accessToken })).status).toBe(401);
});

test('callers who ask at the same time each see themselves, and who has logged out is told so', async () => {
  const people = [await registerPerson(ctx), await registerPerson(ctx), await registerPerson(ctx)];
  const [, , gone] = people;
  await call(logout, ctx, { method: 'POST', body: {}, token: gone?.accessToken ?? '' });
  const replies = await Promise.all(
    [...people, ...people].map(({ accessToken }) => call(getMe, ctx, { token: accessToken })),
  );
  const seen = replies.map(({ status, body }) => (status === 200 ? body.id : status));
  const expected = people.map(({ user }) => (user.id === gone?.user.id ? 401 : user.id));
  expect(seen).toEqual([...expected, ...expected]);
});
