import { handler as updateUser } from '../../../functions/users/update-user';
import { type TestContext, testContext } from '../../setup/context';
import { eventsOf } from '../../setup/events';
import { call } from '../../setup/http';
import { outcomesOf } from '../../setup/outbox';
import { logInAdmin, PASSWORD, type Person, registerPerson } from '../../setup/people';
import { logInWith } from '../../setup/roles';

let ctx: TestContext;
let admin: Person;
beforeAll(async () => {
  ctx = await testContext();
  admin = await logInAdmin(ctx);
});
afterAll(() => ctx.close());

const put = (person: Person, body: unknown, headers: Record<string, string> = {}, id = 'me') =>
  call(updateUser, ctx, { method: 'PUT', params: { id }, token: person.accessToken, body, headers });
const lastEvent = (id: string) =>
  ctx.db
    .selectFrom('events')
    .selectAll()
    .where('subject', '=', id)
    .orderBy('position', 'desc')
    .executeTakeFirstOrThrow();

test('changes what is sent, leaves the rest, and tells what changed', async () => {
  const person = await registerPerson(ctx, { displayName: 'Before', metadata: { a: 1 } });
  ctx.clock.now = new Date(ctx.clock.now.getTime() + 1000);
  const { status, headers, body } = await put(person, { displayName: 'After' });
  expect([status, headers['etag']]).toEqual([200, '"2"']);
  expect(body).toEqual({
    ...person.user,
    displayName: 'After',
    version: 2,
    updatedAt: ctx.clock.now.toISOString(),
  });
  const event = await lastEvent(person.user.id);
  expect(event).toMatchObject({ type: 'user.updated', sequence: '0000000002', actor_id: person.user.id });
  expect((await outcomesOf(ctx, person.user.id)).at(-1)?.published_at).not.toBeNull();
  expect(event.data).toEqual({
    id: person.user.id,
    username: person.user.username,
    email: person.user.email,
    changes: { displayName: { from: 'Before', to: 'After' } },
  });
});

test('where nothing changes, nothing happens', async () => {
  const person = await registerPerson(ctx, { metadata: { deep: { list: [1, 2] } } });
  const { username, email, displayName, metadata } = person.user;
  for (const body of [{}, { username, email, displayName, metadata }]) {
    const answer = await put(person, body);
    expect([answer.status, answer.body]).toEqual([200, person.user]);
  }
  expect(await eventsOf(ctx, person.user.id)).toEqual(['user.created']);
});

test('an administrator sets another user’s address at once, unverified; another field leaves it verified', async () => {
  const person = await registerPerson(ctx);
  await ctx.db.updateTable('users').set({ email_verified: true }).where('id', '=', person.user.id).execute();
  const set = (body: unknown) => put(admin, body, {}, person.user.id);
  expect((await set({ displayName: 'X' })).body.emailVerified).toBe(true);
  const email = `new-${person.user.email}`;
  expect((await set({ email })).body).toMatchObject({ email, emailVerified: false, pendingEmail: null });
  expect(await eventsOf(ctx, person.user.id)).toEqual([
    'user.created',
    'user.updated',
    'user.updated',
    'user.email_changed',
  ]);
});

test.each(['oneself', 'an administrator'])(
  'by %s, an address in other case is the same address',
  async (who) => {
    const person = await registerPerson(ctx);
    await ctx.db
      .updateTable('users')
      .set({ email_verified: true })
      .where('id', '=', person.user.id)
      .execute();
    const email = person.user.email?.toUpperCase();
    const { status, body } = await put(who === 'oneself' ? person : admin, { email }, {}, person.user.id);
    expect([status, body.email, body.emailVerified, body.pendingEmail]).toEqual([200, email, true, null]);
    expect(await eventsOf(ctx, person.user.id)).toEqual(['user.created', 'user.updated']);
  },
);

describe('another username of one’s own, long after the login', () => {
  const pass = (minutes: number) => {
    ctx.clock.now = new Date(ctx.clock.now.getTime() + minutes * 60_000);
  };
  const long = () => pass(10);
  afterEach(() => pass(-10));

  test('takes the password or a recent proof of it; another case does not', async () => {
    const person = await registerPerson(ctx);
    long();
    const username = `${person.user.username}_2`;
    const refused = await put(person, { username });
    expect([refused.status, refused.body.code]).toEqual([401, 'reauthentication_required']);
    const wrong = await put(person, { username, currentPassword: 'wrong' });
    expect([wrong.status, wrong.body.code]).toEqual([401, 'invalid_credentials']);
    expect((await put(person, { username: person.user.username.toUpperCase() })).status).toBe(200);
    expect((await put(person, { username, currentPassword: PASSWORD })).body.username).toBe(username);
  });

  test('does not for those who act for another', async () => {
    const person = await registerPerson(ctx);
    const chief = await logInAdmin(ctx);
    long();
    const username = `${person.user.username}_3`;
    expect((await put(chief, { username }, {}, person.user.id)).status).toBe(200);
  });
});

test('the case of a username can change, and a taken name cannot be had', async () => {
  const [a, b] = [await registerPerson(ctx), await registerPerson(ctx)];
  expect((await put(a, { username: a.user.username.toUpperCase() })).status).toBe(200);
  const name = await put(b, { username: a.user.username });
  expect([name.status, name.body.code]).toEqual([409, 'username_taken']);
  const email = await put(b, { email: a.user.email?.toUpperCase(), currentPassword: PASSWORD });
  expect([email.status, email.body.code]).toEqual([409, 'email_taken']);
});

describe('If-Match', () => {
  test.each([['"1"'], ['*'], ['"7", "1"']])('%s allows it', async (tag) => {
    const person = await registerPerson(ctx);
    expect((await put(person, { displayName: 'X' }, { 'if-match': tag })).status).toBe(200);
  });

  test.each([['"2"'], ['W/"1"'], ['1'], ['"01"'], ['""'], ['nonsense']])('%s does not', async (tag) => {
    const person = await registerPerson(ctx);
    const answer = await put(person, { displayName: 'X' }, { 'if-match': tag });
    expect([answer.status, answer.body.code, answer.headers['etag']]).toEqual([
      412,
      'version_mismatch',
      '"1"',
    ]);
    expect(await eventsOf(ctx, person.user.id)).toEqual(['user.created']);
  });

  test('of ten writers who have read the same version, one wins', async () => {
    const person = await registerPerson(ctx);
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => put(person, { displayName: `W${i}` }, { 'if-match': '"1"' })),
    );
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, ...Array(9).fill(412)]);
    expect(await eventsOf(ctx, person.user.id)).toEqual(['user.created', 'user.updated']);
  });

  test('without it, ten writers all write, one after the other', async () => {
    const person = await registerPerson(ctx);
    const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => put(person, { metadata: { i } })));
    expect(answers.map((answer) => answer.body.version).sort((a, b) => a - b)).toEqual([
      2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
    ]);
    const rows = await ctx.db
      .selectFrom('events')
      .select('sequence')
      .where('subject', '=', person.user.id)
      .orderBy('position')
      .execute();
    expect(rows.map((row) => Number(row.sequence))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });
});

test.each([
  [{ role: 'admin' }, 'role'],
  [{ id: 'x' }, 'id'],
  [{ version: 9 }, 'version'],
  [{ password: 'something else' }, 'password'],
  [{ username: 'x' }, 'username'],
  [{ username: null }, 'username'],
  [{ email: null }, 'email'],
  [{ email: 'other@example.com' }, 'currentPassword'],
  [{ pendingEmail: 'other@example.com' }, 'pendingEmail'],
  [{ metadata: 'x' }, 'metadata'],
])('refuses %j', async (body, path) => {
  const person = await registerPerson(ctx);
  const answer = await put(person, body);
  expect([answer.status, answer.body.errors[0].path]).toEqual([422, path]);
});

test('is for oneself, and for those who may write users and hold what the user holds', async () => {
  const [a, b] = [await registerPerson(ctx), await registerPerson(ctx)];
  const other = await put(a, { displayName: 'X' }, {}, b.user.id);
  expect([other.status, other.body.code]).toEqual([403, 'forbidden']);
  expect((await put(admin, { displayName: 'X' }, {}, b.user.id)).status).toBe(200);

  const support = await logInWith(ctx, admin, ['users:read', 'users:write']);
  expect((await put(support, { displayName: 'Y' }, {}, b.user.id)).status).toBe(200);
  const above = await put(support, { email: 'mine@example.com' }, {}, admin.user.id);
  expect([above.status, above.body.code]).toEqual([403, 'forbidden']);
});

test.each([['no-id'], ['01890000-0000-7000-8000-000000000000']])('404 for %s', async (id) => {
  const answer = await put(admin, { displayName: 'X' }, {}, id);
  expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
});

describe('an administrator verifies an address', () => {
  test('as the user would have: with the event, the welcome and the count that follow from it', async () => {
    const person = await registerPerson(ctx);
    const { status, body } = await put(admin, { emailVerified: true }, {}, person.user.id);
    expect([status, body.emailVerified, body.version]).toEqual([200, true, 2]);
    const event = await lastEvent(person.user.id);
    expect(event).toMatchObject({
      type: 'user.email_verified',
      sequence: '0000000002',
      actor_id: admin.user.id,
      data: { id: person.user.id },
    });
    await put(admin, { emailVerified: true }, {}, person.user.id);
    expect(await eventsOf(ctx, person.user.id)).toEqual(['user.created', 'user.email_verified']);
  });

  test('together with a new one', async () => {
    const person = await registerPerson(ctx);
    const email = `new-${person.user.email}`;
    const { body } = await put(admin, { email, emailVerified: true }, {}, person.user.id);
    expect(body).toMatchObject({ email, emailVerified: true, pendingEmail: null });
    expect(await eventsOf(ctx, person.user.id)).toEqual([
      'user.created',
      'user.updated',
      'user.email_changed',
      'user.email_verified',
    ]);
  });

  test('which only callers with users:write may, and never takes back', async () => {
    const person = await registerPerson(ctx);
    const own = await put(person, { emailVerified: true });
    expect([own.status, own.body.code]).toEqual([403, 'forbidden']);
    const back = await put(admin, { emailVerified: false }, {}, person.user.id);
    expect([back.body.code, back.body.errors[0].path]).toEqual(['invalid_request', 'emailVerified']);
    expect(await eventsOf(ctx, person.user.id)).toEqual(['user.created']);
  });

  test('if there is one', async () => {
    const person = await registerPerson(ctx);
    await ctx.db.updateTable('users').set({ email: null }).where('id', '=', person.user.id).execute();
    const { body } = await put(admin, { emailVerified: true }, {}, person.user.id);
    expect([body.code, body.errors[0].path]).toEqual(['invalid_request', 'emailVerified']);
  });
});
