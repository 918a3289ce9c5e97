import { handler as listUsers } from '../../../functions/users/list-users';
import { type TestContext, testContext } from '../../setup/context';
import { call } from '../../setup/http';
import { logInAdmin, type Person, registerPerson } from '../../setup/people';
import { logInWith } from '../../setup/roles';

let ctx: TestContext;
let admin: Person;
let names: string[];
beforeAll(async () => {
  ctx = await testContext();
  admin = await logInAdmin(ctx);
  for (const [username, email] of [
    ['Anna', 'zoe@example.com'],
    ['ANNIKA', 'b@example.com'],
    ['an_na', 'c@example.com'],
    ['Bert', 'annegret@bücher.example'],
    ['carl.x', 'd%x@example.com'],
  ]) {
    await registerPerson(ctx, { username, email });
  }
  names = ['carl.x', 'Bert', 'an_na', 'ANNIKA', 'Anna', admin.user.username];
});
afterAll(() => ctx.close());

const list = (query: Record<string, string> = {}, by = admin) =>
  call(listUsers, ctx, { query, token: by.accessToken });
const found = async (query: Record<string, string>) =>
  (await list(query)).body.users.map((user: { username: string }) => user.username);

test('lists users, newest first, as they show themselves', async () => {
  const { status, body } = await list();
  expect([status, body.nextCursor]).toEqual([200, null]);
  expect(body.users.map((user: { username: string }) => user.username)).toEqual(names);
  expect(Object.keys(body.users[0]).sort()).toEqual(Object.keys(admin.user).sort());
});

test.each([1, 2, 5, 6])('pages of %i show each once', async (limit) => {
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const { body }: Awaited<ReturnType<typeof list>> = await list({
      limit: String(limit),
      ...(cursor && { cursor }),
    });
    seen.push(...body.users.map((user: { username: string }) => user.username));
    cursor = body.nextCursor;
  } while (cursor);
  expect(seen).toEqual(names);
});

test.each([
  ['ann', ['Bert', 'ANNIKA', 'Anna']],
  ['ANNA', ['Anna']],
  ['an_', ['an_na']],
  ['d%', ['carl.x']],
  ['%', []],
  ['\\', []],
  ['zoe@example.com', ['Anna']],
  ['annegret@bücher.example', ['Bert']],
  ['annegret@xn--bcher', ['Bert']],
  ["' or 1=1 --", []],
])('finds %s at the beginning of a username or email address', async (q, expected) => {
  expect(await found({ q })).toEqual(expected);
});

test('finds by role, and pages through what it finds', async () => {
  expect(await found({ role: 'admin' })).toEqual([admin.user.username]);
  expect(await found({ role: 'wizard' })).toEqual([]);
  const first = await list({ q: 'ann', limit: '2' });
  expect(await found({ q: 'ann', limit: '2', cursor: first.body.nextCursor })).toEqual(['Anna']);
});

test.each([[{ limit: '0' }], [{ q: '' }], [{ q: 'a\0' }], [{ cursor: 'W10' }], [{ offset: '3' }]])(
  'refuses the query %j',
  async (query) => {
    const { status, body } = await list(query);
    expect([status, body.code]).toEqual([422, 'invalid_request']);
  },
);

test('is for those who may read users', async () => {
  expect((await list({}, await registerPerson(ctx))).status).toBe(403);
  expect((await list({}, await logInWith(ctx, admin, ['users:read']))).status).toBe(200);
  expect((await call(listUsers, ctx)).status).toBe(401);
});
