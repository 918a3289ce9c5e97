// Erasures with receipts: a case completes exactly when all data holders have answered, and names nobody.
import { sql } from 'kysely';
import { receipts as receiptsConsumer } from '../../../functions/consumers/receipts';
import { handler as createHolderKey } from '../../../functions/erasures/create-holder-key';
import { handler as eraseUser } from '../../../functions/erasures/erase-user';
import { handler as listErasures } from '../../../functions/erasures/list-erasures';
import { handler as lookUp } from '../../../functions/erasures/look-up-erasures';
import { handler as receive } from '../../../functions/erasures/receive-receipt';
import { handler as getUser } from '../../../functions/users/get-user';
import { queueOf } from '../../../shared/broker/topology';
import { type TestContext, testContext } from '../../setup/context';
import { caseOf, erase, holder, messages } from '../../setup/erasures';
import { eventsOf } from '../../setup/events';
import { later } from '../../setup/factors';
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

const queue = () => queueOf(ctx.config.events, 'receipts');
const byAmqp = (...bodies: Parameters<typeof messages>[1][]) =>
  receiptsConsumer(() => ctx)(messages(queue(), ...bodies));
const byHttp = (token: string, id: string, body: object) =>
  call(receive, ctx, { method: 'POST', params: { id }, token, body });
const keyOf = async (name: string): Promise<string> =>
  (await call(createHolderKey, ctx, { method: 'POST', params: { name }, token: admin.accessToken })).body.key;
const refused = () =>
  ctx.db.selectFrom('dead_letters').select(['queue', 'error', 'body']).orderBy('id').execute();
const completions = async (userId: string) =>
  (await eventsOf(ctx, userId)).filter((type) => type === 'user.erasure_completed').length;

test('erases the user at once, asks everybody, and completes with the last receipt', async () => {
  await holder(ctx, admin, 'crm', { deadlineSeconds: 3600 });
  await holder(ctx, admin, 'billing');
  const person = await registerPerson(ctx);
  const opened = await call(eraseUser, ctx, {
    method: 'POST',
    params: { id: 'me' },
    token: person.accessToken,
  });
  expect([opened.status, opened.headers['location']]).toEqual([202, `/erasures/${opened.body.id}`]);
  const { id } = opened.body;
  const { userId } = opened.body;
  expect(opened.body).toMatchObject({
    userId: person.user.id,
    requestedBy: 'user',
    completedAt: null,
    isOverdue: false,
    receipts: [
      { holder: 'billing', outcome: null },
      { holder: 'crm', outcome: null, dueAt: new Date(ctx.clock.now.getTime() + 3600_000).toISOString() },
    ],
  });
  expect((await call(getUser, ctx, { params: { id: userId }, token: admin.accessToken })).status).toBe(404);
  expect(await eventsOf(ctx, userId)).toEqual([
    'user.created',
    'session.revoked',
    'user.deleted',
    'user.erasure_requested',
  ]);
  await byAmqp({ caseId: id, holder: 'crm', outcome: 'erased' });
  expect(await caseOf(ctx, admin, id)).toMatchObject({
    completedAt: null,
    receipts: [{ outcome: null }, { outcome: 'erased', receivedBy: 'amqp' }],
  });
  expect((await byHttp(await keyOf('billing'), id, { outcome: 'nothing_held' })).status).toBe(204);
  expect(await caseOf(ctx, admin, id)).toMatchObject({
    completedAt: ctx.clock.now.toISOString(),
    receipts: [{ outcome: 'nothing_held', receivedBy: 'http' }, { outcome: 'erased' }],
  });
  expect((await eventsOf(ctx, userId)).at(-1)).toBe('user.erasure_completed');
  expect(await refused()).toEqual([]);
});

test("one user's events have rising sequences to the last", async () => {
  await holder(ctx, admin, 'crm');
  const person = await registerPerson(ctx);
  const { id } = await erase(ctx, person);
  await byAmqp({ caseId: id, holder: 'crm', outcome: 'erased' });
  const rows = await ctx.db
    .selectFrom('events')
    .select('sequence')
    .where('subject', '=', person.user.id)
    .orderBy('position')
    .execute();
  const sequences = rows.map(({ sequence }) => sequence);
  expect(sequences).toEqual([...new Set(sequences)].sort());
});

test('no event says from where somebody erased themselves; where an administrator was stays', async () => {
  const [own, other] = [await registerPerson(ctx), await registerPerson(ctx)];
  const headers = { 'user-agent': 'a browser' };
  const by = ({ accessToken: token }: Person, id: string) =>
    call(eraseUser, ctx, { method: 'POST', params: { id }, token, headers });
  await by(own, 'me');
  await by(admin, other.user.id);
  const agents = async ({ user }: Person) => {
    const query = ctx.db.selectFrom('events').select('user_agent').where('subject', '=', user.id);
    return new Set((await query.execute()).map((row) => row.user_agent));
  };
  expect(await agents(own)).toEqual(new Set([null]));
  expect(await agents(other)).toEqual(new Set([null, 'a browser']));
});

test('without data holders it is complete at once', async () => {
  const person = await registerPerson(ctx);
  const opened = await erase(ctx, person);
  expect(opened).toMatchObject({ completedAt: ctx.clock.now.toISOString(), receipts: [] });
  expect((await eventsOf(ctx, person.user.id)).slice(-2)).toEqual([
    'user.erasure_requested',
    'user.erasure_completed',
  ]);
});

test('a receipt that comes twice, late, or before the request was sent counts once', async () => {
  await holder(ctx, admin, 'crm', { deadlineSeconds: 60 });
  await holder(ctx, admin, 'billing', { deadlineSeconds: 60 });
  const person = await registerPerson(ctx);
  const { id, userId } = await erase(ctx, person);
  // Early: nothing of the case has been published yet.
  await byAmqp({ caseId: id, holder: 'crm', outcome: 'erased' });
  // Twice: the first answer counts.
  await byAmqp({ caseId: id, holder: 'crm', outcome: 'nothing_held' });
  later(ctx, 120);
  admin = await logInAdmin(ctx);
  expect(await caseOf(ctx, admin, id)).toMatchObject({
    isOverdue: true,
    receipts: [
      { holder: 'billing', isOverdue: true },
      { holder: 'crm', outcome: 'erased', isOverdue: false },
    ],
  });
  const key = await keyOf('billing');
  const late = await Promise.all(Array.from({ length: 10 }, () => byHttp(key, id, { outcome: 'erased' })));
  expect(late.map(({ status }) => status)).toEqual(Array(10).fill(204));
  expect(await completions(userId)).toBe(1);
  expect(await caseOf(ctx, admin, id)).toMatchObject({ isOverdue: false });
  await byAmqp({ caseId: id, holder: 'billing', outcome: 'erased' });
  expect(await completions(userId)).toBe(1);
  expect(await refused()).toEqual([]);
});

test('two last receipts at once complete a case once', async () => {
  for (const name of ['one', 'two', 'three', 'four']) await holder(ctx, admin, name);
  const people = await Promise.all(Array.from({ length: 5 }, () => registerPerson(ctx)));
  const cases = await Promise.all(people.map((person) => erase(ctx, person)));
  await Promise.all(
    cases.flatMap(({ id }) =>
      ['one', 'two', 'three', 'four'].map((name) => byAmqp({ caseId: id, holder: name, outcome: 'erased' })),
    ),
  );
  for (const { userId } of cases) expect(await completions(userId)).toBe(1);
});

test.each([
  ['no JSON', 'erased'],
  ['no UTF-8', Buffer.from([0xff, 0xfe, 0x7b])],
  ['no object', '[]'],
  ['no case', { holder: 'crm', outcome: 'erased' }],
  ['another outcome', { caseId: '0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b', holder: 'crm', outcome: 'kept' }],
  ['an unknown case', { caseId: '0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b', holder: 'crm', outcome: 'erased' }],
  [
    'a hostile name',
    { caseId: '0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b', holder: "'; drop table users", outcome: 'erased' },
  ],
])('a message with %s becomes a dead letter, once, and the others count', async (_, bad) => {
  await holder(ctx, admin, 'crm');
  const { id, userId } = await erase(ctx, await registerPerson(ctx));
  const good = { caseId: id, holder: 'crm', outcome: 'erased' };
  for (let times = 0; times < 2; times++) await byAmqp(bad, good);
  expect(await refused()).toMatchObject([
    { queue: queue(), error: expect.stringMatching(/no receipt|no such case/) },
  ]);
  expect(await completions(userId)).toBe(1);
});

test('a holder answers for no case but those that await it, and for nobody else', async () => {
  await holder(ctx, admin, 'crm');
  const { id, userId } = await erase(ctx, await registerPerson(ctx));
  // Registered after the case was opened: it was not asked.
  await holder(ctx, admin, 'latecomer');
  const key = await keyOf('latecomer');
  const foreign = await byHttp(key, id, { outcome: 'erased' });
  expect([foreign.status, foreign.body.code]).toEqual([404, 'not_found']);
  const forOther = await byHttp(key, id, { outcome: 'erased', holder: 'crm' });
  expect([forOther.status, forOther.body.errors[0].path]).toEqual([422, 'holder']);
  await byAmqp({ caseId: id, holder: 'latecomer', outcome: 'erased' });
  expect(await completions(userId)).toBe(0);
  // Another key ends the first one.
  await keyOf('latecomer');
  expect((await byHttp(key, id, { outcome: 'erased' })).status).toBe(401);
  for (const token of ['rollcall_holder_', 'rollcall_holder_x', 'x', ''])
    expect((await byHttp(token, id, { outcome: 'erased' })).status).toBe(401);
  const stored = await sql<{ text: string }>`select data_holders::text as text from data_holders`.execute(
    ctx.db,
  );
  expect(stored.rows.map(({ text }) => text).join()).not.toContain(key.slice(-20));
});

test('an administrator answers for a holder that cannot, and that is on record', async () => {
  await holder(ctx, admin, 'crm');
  const { id, userId } = await erase(ctx, await registerPerson(ctx));
  expect((await byHttp(admin.accessToken, id, { outcome: 'erased' })).status).toBe(422);
  const helper = await logInWith(ctx, admin, ['erasures:read']);
  expect((await byHttp(helper.accessToken, id, { outcome: 'erased', holder: 'crm' })).status).toBe(403);
  expect((await byHttp(admin.accessToken, id, { outcome: 'erased', holder: 'crm' })).status).toBe(204);
  expect(await completions(userId)).toBe(1);
  const acts = await ctx.db
    .selectFrom('audit_log')
    .select(['type', 'actor_id', 'details'])
    .where('type', '=', 'erasure.receipt_recorded')
    .execute();
  expect(acts).toEqual([
    {
      type: 'erasure.receipt_recorded',
      actor_id: admin.user.id,
      details: { holder: 'crm', outcome: 'erased' },
    },
  ]);
});

test('takes a recent proof, and of others the permission', async () => {
  const person = await registerPerson(ctx);
  const other = await registerPerson(ctx);
  const of = (by: Person, id: string) =>
    call(eraseUser, ctx, { method: 'POST', params: { id }, token: by.accessToken });
  expect((await of(person, other.user.id)).status).toBe(403);
  later(ctx, 600);
  for (const reply of [await of(person, 'me'), await of(admin, other.user.id)])
    expect([reply.status, reply.body.code]).toEqual([401, 'reauthentication_required']);
  admin = await logInAdmin(ctx);
  expect((await of(admin, other.user.id)).body.requestedBy).toBe('administrator');
  expect((await of(admin, other.user.id)).status).toBe(404);
});

test('lists cases by their state and holder, in pages', async () => {
  await holder(ctx, admin, 'crm', { deadlineSeconds: 60 });
  const first = await erase(ctx, await registerPerson(ctx));
  await holder(ctx, admin, 'billing', { deadlineSeconds: 3600 });
  const second = await erase(ctx, await registerPerson(ctx));
  await byAmqp({ caseId: first.id, holder: 'crm', outcome: 'erased' });
  const list = async (query: Record<string, string>) => {
    const { body } = await call(listErasures, ctx, { query, token: admin.accessToken });
    return [body.erasures.map(({ id }: { id: string }) => id), body.nextCursor];
  };
  expect(await list({})).toEqual([[second.id, first.id], null]);
  expect(await list({ state: 'completed' })).toEqual([[first.id], null]);
  expect(await list({ state: 'open' })).toEqual([[second.id], null]);
  expect(await list({ state: 'overdue' })).toEqual([[], null]);
  expect(await list({ holder: 'billing' })).toEqual([[second.id], null]);
  const [page, cursor] = await list({ limit: '1' });
  expect([page, await list({ limit: '1', cursor })]).toEqual([[second.id], [[first.id], null]]);
  later(ctx, 61);
  admin = await logInAdmin(ctx);
  expect(await list({ state: 'overdue' })).toEqual([[second.id], null]);
});

test('finds the cases of an address by its keyed hash, also after a rotation, and stores no address', async () => {
  const person = await registerPerson(ctx);
  const { id } = await erase(ctx, person);
  const search = async (email: string | null, at = ctx) =>
    (await call(lookUp, at, { method: 'POST', body: { email }, token: admin.accessToken })).body;
  expect((await search(person.user.email)).erasures.map((found: { id: string }) => found.id)).toEqual([id]);
  expect((await search(person.user.email?.toUpperCase() ?? '')).erasures).toHaveLength(1);
  expect((await search('somebody-else@example.com')).erasures).toEqual([]);
  const [key] = ctx.config.factors.encryptionKeys;
  const newer = { id: Buffer.alloc(4, 'n'), key: Buffer.alloc(32, 'n') };
  const withKeys = (encryptionKeys: { id: Buffer; key: Buffer }[]) => ({
    ...ctx,
    config: { ...ctx.config, factors: { ...ctx.config.factors, encryptionKeys } },
  });
  expect((await search(person.user.email, withKeys([newer, ...(key ? [key] : [])]))).erasures).toHaveLength(
    1,
  );
  expect((await search(person.user.email, withKeys([newer]))).erasures).toEqual([]);
  expect((await search(person.user.email, withKeys([]))).code).toBe('unavailable');
});
