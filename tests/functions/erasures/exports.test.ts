// Exports: all that is known of a user, from here and from the data holders, sealed, for the user alone, for seven days.
import { sql } from 'kysely';
import { receipts as receiptsConsumer } from '../../../functions/consumers/receipts';
import { handler as createHolderKey } from '../../../functions/erasures/create-holder-key';
import { handler as deleteDataHolder } from '../../../functions/erasures/delete-data-holder';
import { handler as getExport } from '../../../functions/erasures/get-export';
import { handler as getExportData } from '../../../functions/erasures/get-export-data';
import { handler as receive } from '../../../functions/erasures/receive-export-receipt';
import { handler as receiveErasure } from '../../../functions/erasures/receive-receipt';
import { handler as requestExport } from '../../../functions/erasures/request-export';
import { handler as updateUser } from '../../../functions/users/update-user';
import { queueOf } from '../../../shared/broker/topology';
import { insertExport } from '../../../shared/exports/export-store';
import { followUpExports } from '../../../shared/exports/follow-up-exports';
import { measuredFollowUp } from '../../../shared/ops/measured-runs';
import { purgeEvents } from '../../../shared/ops/purge';
import { type TestContext, testContext } from '../../setup/context';
import { untilLockIsAwaited } from '../../setup/database';
import { erase, holder, messages, requestOwnExport, storedText } from '../../setup/erasures';
import { eventsOf } from '../../setup/events';
import { addAuthenticator, later } from '../../setup/factors';
import { call } from '../../setup/http';
import { logInAdmin, PASSWORD, type Person, registerPerson } from '../../setup/people';
import { logInWith } from '../../setup/roles';

let ctx: TestContext;
let admin: Person;
let person: Person;
beforeEach(async () => {
  ctx = await testContext();
  admin = await logInAdmin(ctx);
  person = await registerPerson(ctx);
});
afterEach(() => ctx.close());

const DAY = 86_400;
const UNKNOWN = '0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b';
/** What must turn up nowhere but in the download. */
const SECRET = 'Einstein-Rosen 4711';

const byAmqp = (...bodies: Parameters<typeof messages>[1][]) =>
  receiptsConsumer(() => ctx)(messages(queueOf(ctx.config.events, 'receipts'), ...bodies));
const byHttp = (token: string, id: string, body: object | string) =>
  call(receive, ctx, { method: 'POST', params: { id }, token, body });
const keyOf = async (name: string): Promise<string> =>
  (await call(createHolderKey, ctx, { method: 'POST', params: { name }, token: admin.accessToken })).body.key;
const request = ({ accessToken: token }: Person, id = 'me', at = ctx) =>
  call(requestExport, at, { method: 'POST', params: { id }, token });
const get = ({ accessToken: token }: Person, id: string) => call(getExport, ctx, { params: { id }, token });
const download = ({ accessToken: token }: Person, id: string, at = ctx) =>
  call(getExportData, at, { params: { id }, token });
const refused = () => ctx.db.selectFrom('dead_letters').select(['error', 'body']).orderBy('id').execute();
const told = async () =>
  (await eventsOf(ctx, person.user.id)).filter((type) => type === 'user.export_ready').length;
const stored = () => storedText(ctx);

test('asks everybody, and is ready with the last answer', async () => {
  for (const name of ['crm', 'shop', 'files']) await holder(ctx, admin, name);
  const opened = await request(person);
  const { id } = opened.body;
  expect([opened.status, opened.headers['location']]).toEqual([202, `/exports/${id}`]);
  expect(opened.body).toMatchObject({
    userId: person.user.id,
    requestedBy: 'user',
    state: 'pending',
    readyAt: null,
    expiresAt: null,
    receipts: [
      { holder: 'crm', outcome: null },
      { holder: 'files', outcome: null },
      { holder: 'shop', outcome: null },
    ],
  });
  expect(await eventsOf(ctx, person.user.id)).toEqual(['user.created', 'user.export_requested']);
  await byAmqp({ caseId: id, holder: 'crm', outcome: 'exported', data: { note: SECRET } });
  const url = 'https://files.example.com/my-data';
  expect((await byHttp(await keyOf('files'), id, { outcome: 'exported', url })).status).toBe(204);
  expect((await download(person, id)).body.code).toBe('export_pending');
  await byAmqp({ caseId: id, holder: 'shop', outcome: 'nothing_held' });
  const found = (await get(person, id)).body;
  expect(found).toMatchObject({
    state: 'ready',
    readyAt: ctx.clock.now.toISOString(),
    receipts: [
      { outcome: 'exported', receivedBy: 'amqp' },
      { outcome: 'exported', receivedBy: 'http' },
      { outcome: 'nothing_held' },
    ],
  });
  expect(JSON.stringify(found)).not.toContain(SECRET);
  expect(await told()).toBe(1);
  const { headers, body } = await download(person, id);
  expect(headers).toMatchObject({
    'content-disposition': `attachment; filename="export-${person.user.id}.json"`,
    'cache-control': 'no-store',
    'content-type': 'application/json',
  });
  expect(body).toMatchObject({
    exportedAt: ctx.clock.now.toISOString(),
    user: { id: person.user.id, username: person.user.username },
    parts: { crm: { note: SECRET }, files: { url }, shop: null },
    missing: [],
  });
  expect(await stored()).not.toContain(SECRET);
  const entries = await ctx.db
    .selectFrom('audit_log')
    .selectAll()
    .where('type', '=', 'export.fetched')
    .execute();
  expect(entries).toMatchObject([
    { subject: person.user.id, actor_id: person.user.id, details: { caseId: id } },
  ]);
});

test('has what this service holds, without secrets, and nothing of others', async () => {
  const { accessToken: token } = person;
  const update = { displayName: 'Gorden', email: 'other@example.com', currentPassword: PASSWORD };
  await call(updateUser, ctx, { method: 'PUT', params: { id: 'me' }, token, body: update });
  await addAuthenticator(ctx, person);
  const [event] = await ctx.db
    .selectFrom('events')
    .select('id')
    .where('subject', '=', person.user.id)
    .execute();
  const eventId = event?.id ?? '';
  await sql`insert into event_history (event_id, kind, consumer, detail)
    values (${eventId}, 'mail_sent', 'emails', '{"template": "verify_email"}')`.execute(ctx.db);
  await sql`insert into webhook_endpoints (id, url, event_types, secret)
    values (${UNKNOWN}, 'https://example.com', '{*}', '')`.execute(ctx.db);
  const attempt = (response: string) => ({ attempt: 1, startedAt: 'then', response });
  const log = JSON.stringify([attempt(`hello ${person.user.username}`), attempt('an internal problem')]);
  await sql`insert into webhook_deliveries (endpoint_id, event_id, type, attempt_log)
    values (${UNKNOWN}, ${eventId}, 'user.created', ${log}::jsonb)`.execute(ctx.db);
  // An administrator's act on the user: that it was done is the user's, where the administrator was is not.
  await sql`insert into audit_log (event_id, type, subject, time, actor_id, address, user_agent)
    values (${UNKNOWN}, 'user.updated', ${person.user.id}, now(), ${admin.user.id}, '198.51.100.7', 'their browser')`.execute(
    ctx.db,
  );
  const { id } = await requestOwnExport(ctx, person);
  const own = (await download(person, id)).body.parts.rollcall;
  expect(own).toMatchObject({
    profile: { id: person.user.id, displayName: 'Gorden', pendingEmail: 'other@example.com', role: 'user' },
    hasPassword: true,
    factors: [{ type: 'totp' }],
    passkeys: [],
    sessions: [{ address: '192.0.2.1', userAgent: 'tests', revokedAt: null }],
    mails: [{ template: 'verify_email' }],
    webhookResponses: [{ type: 'user.created', response: `hello ${person.user.username}` }],
    truncated: [],
  });
  expect(own.auditEntries).toContainEqual(
    expect.objectContaining({ type: 'user.updated', address: null, userAgent: null }),
  );
  expect(own.events.map(({ type }: { type: string }) => type)).toEqual(
    (await eventsOf(ctx, person.user.id)).filter((type) => !type.startsWith('user.export')).reverse(),
  );
  const text = JSON.stringify(own);
  for (const secret of [
    PASSWORD,
    '$2',
    'hash',
    admin.user.id,
    admin.user.username,
    '198.51.100.7',
    'internal',
  ])
    expect([secret, text.includes(secret)]).toEqual([secret, false]);
});

test('of what is too much come the newest entries, and it says so', async () => {
  await sql`
    insert into events (id, type, subject, sequence, time, data)
    select gen_random_uuid(), 'user.updated', ${person.user.id}, '0000000000.' || lpad(n::text, 10, '0'), now(),
      jsonb_build_object('n', n, 'text', repeat('x', 4000))
    from generate_series(1, 500) as n`.execute(ctx.db);
  const { id } = await requestOwnExport(ctx, person);
  const { rollcall } = (await download(person, id)).body.parts;
  expect(rollcall.truncated).toEqual(['events']);
  expect(rollcall.events[0].detail.n).toBe(500);
  expect(JSON.stringify(rollcall).length).toBeLessThan(1024 * 1024);
});

test('without data holders it is ready at once', async () => {
  expect(await requestOwnExport(ctx, person)).toMatchObject({ state: 'ready', receipts: [] });
  expect((await eventsOf(ctx, person.user.id)).slice(-2)).toEqual([
    'user.export_requested',
    'user.export_ready',
  ]);
});

test('is for the user, and with the permission for others, and the data takes a recent proof', async () => {
  const other = await registerPerson(ctx);
  const { id } = await requestOwnExport(ctx, person);
  expect((await request(other, person.user.id)).status).toBe(403);
  for (const at of [get, download]) {
    expect((await at(other, id)).body.code).toBe('not_found');
    expect((await at(other, UNKNOWN)).body.code).toBe('not_found');
    expect((await at(admin, 'nonsense')).status).toBe(404);
    expect((await at({ ...person, accessToken: '' }, id)).status).toBe(401);
  }
  const reader = await logInWith(ctx, admin, ['erasures:read', 'users:read', 'users:write']);
  expect((await get(reader, id)).status).toBe(200);
  expect((await download(reader, id)).status).toBe(404);
  expect((await request(reader, person.user.id)).status).toBe(403);
  const officer = await logInWith(ctx, admin, ['erasures:read', 'erasures:write']);
  expect((await download(officer, id)).status).toBe(200);
  expect((await request(officer, person.user.id)).body.requestedBy).toBe('administrator');
  // Nobody exports a user who may more than they.
  expect((await request(officer, admin.user.id)).status).toBe(403);
  const admins = await requestOwnExport(ctx, admin);
  for (const at of [get, download]) expect((await at(officer, admins.id)).status).toBe(403);
  later(ctx, 600);
  expect((await get(person, id)).status).toBe(200);
  expect((await download(person, id)).body.code).toBe('reauthentication_required');
  expect((await request(person)).body.code).toBe('reauthentication_required');
});

test('one is open at a time, also of many requests at once, and a day has five', async () => {
  const limited = await testContext({ RATE_LIMITS: 'on' });
  const boss = await logInAdmin(limited);
  const someone = await registerPerson(limited);
  await holder(limited, boss, 'crm');
  const all = await Promise.all(Array.from({ length: 8 }, () => request(someone, 'me', limited)));
  expect(new Set(all.map(({ status, body }) => `${status} ${body.id}`)).size).toBe(1);
  const { rows } = await sql`select from export_cases`.execute(limited.db);
  expect(rows).toHaveLength(1);
  await sql`update export_receipts set received_at = now()`.execute(limited.db);
  await sql`delete from data_holders`.execute(limited.db);
  for (let more = 0; more < 4; more++) expect((await request(someone, 'me', limited)).status).toBe(202);
  const sixth = await request(someone, 'me', limited);
  expect([sixth.status, sixth.body.code]).toEqual([429, 'rate_limited']);
  await limited.close();
});

test('without a key nothing is collected', async () => {
  const without = { ...ctx, config: { ...ctx.config, factors: { encryptionKeys: [] } } };
  const reply = await request(person, 'me', without);
  expect([reply.status, reply.body.code]).toEqual([503, 'unavailable']);
  expect(reply.body.detail).toContain('ENCRYPTION_KEYS');
  expect(await eventsOf(ctx, person.user.id)).toEqual(['user.created']);
  const { id } = await requestOwnExport(ctx, person);
  expect((await download(person, id, without)).status).toBe(503);
  // A part cannot be moved to another case.
  const { id: second } = await requestOwnExport(ctx, person);
  await sql`update export_receipts set part = (select part from export_receipts where case_id = ${id})
    where case_id = ${second}`.execute(ctx.db);
  expect((await download(person, second)).status).toBe(503);
});

test('the first answer counts, however often and when it comes', async () => {
  await holder(ctx, admin, 'crm');
  await holder(ctx, admin, 'shop');
  const key = await keyOf('crm');
  const { id } = await requestOwnExport(ctx, person);
  const first = { outcome: 'exported', data: { n: 1 } };
  expect((await byHttp(key, id, first)).status).toBe(204);
  expect((await byHttp(key, id, { outcome: 'exported', data: { n: 2 } })).status).toBe(204);
  await byAmqp({ caseId: id, holder: 'crm', outcome: 'nothing_held' });
  await byAmqp({ caseId: id, holder: 'shop', outcome: 'nothing_held' });
  expect((await download(person, id)).body.parts).toMatchObject({ crm: { n: 1 }, shop: null });
  expect(await refused()).toEqual([]);
});

test('last answers at once make it ready once', async () => {
  const names = ['one', 'two', 'three', 'four', 'five'];
  for (const name of names) await holder(ctx, admin, name);
  const { id } = await requestOwnExport(ctx, person);
  const data = { x: 1 };
  await Promise.all(
    [...names, ...names].map((name) => byAmqp({ caseId: id, holder: name, outcome: 'exported', data })),
  );
  expect(await told()).toBe(1);
  expect(Object.keys((await download(person, id)).body.parts).sort()).toEqual([...names, 'rollcall'].sort());
});

test('is partial after the deadlines, says so once, and takes what comes late', async () => {
  await holder(ctx, admin, 'crm', { deadlineSeconds: 60 });
  await holder(ctx, admin, 'shop', { deadlineSeconds: 120 });
  // For access it is a month, whatever the holder has for erasures.
  await holder(ctx, admin, 'slow', { deadlineSeconds: 365 * DAY });
  const { id, receipts } = await requestOwnExport(ctx, person);
  expect(new Date(receipts[2].dueAt).getTime() - ctx.clock.now.getTime()).toBe(30 * DAY * 1000);
  await byAmqp({ caseId: id, holder: 'slow', outcome: 'nothing_held' });
  later(ctx, 60);
  expect(await followUpExports(ctx, 10_000)).toBe(0);
  expect((await get(person, id)).body).toMatchObject({
    state: 'pending',
    receipts: [{ isOverdue: true }, {}, {}],
  });
  later(ctx, 60);
  expect((await get(person, id)).body.state).toBe('partial');
  const runs = await Promise.all([followUpExports(ctx, 10_000), followUpExports(ctx, 10_000)]);
  expect(runs.sort()).toEqual([0, 1]);
  expect(await followUpExports(ctx, 10_000)).toBe(0);
  expect(await told()).toBe(1);
  expect((await download(person, id)).body.missing).toEqual(['crm', 'shop']);
  await byAmqp({ caseId: id, holder: 'shop', outcome: 'exported', data: { late: true } });
  const { body } = await download(person, id);
  expect([body.parts.shop, body.missing]).toEqual([{ late: true }, ['crm']]);
  await byAmqp({ caseId: id, holder: 'crm', outcome: 'nothing_held' });
  expect((await get(person, id)).body.state).toBe('ready');
  expect(await told()).toBe(1);
  expect(await refused()).toEqual([]);
});

test('the hourly run says so, and reminds nobody', async () => {
  await holder(ctx, admin, 'crm', { deadlineSeconds: 60, queue: 'crm.rollcall' });
  await requestOwnExport(ctx, person);
  later(ctx, 60);
  expect(await measuredFollowUp(ctx, 10_000)).toEqual({ reminded: 0, overdue: 0 });
  expect(await told()).toBe(1);
});

test('a key may be rotated between two parts: each is opened by its own', async () => {
  await holder(ctx, admin, 'crm');
  const { id } = await requestOwnExport(ctx, person);
  const [old] = ctx.config.factors.encryptionKeys;
  if (!old) throw new Error('No key');
  const newer = { id: Buffer.alloc(4, 'n'), key: Buffer.alloc(32, 'n') };
  const rotated = { ...ctx, config: { ...ctx.config, factors: { encryptionKeys: [newer, old] } } };
  const batch = messages(queueOf(ctx.config.events, 'receipts'), {
    caseId: id,
    holder: 'crm',
    outcome: 'exported',
    data: { x: 1 },
  });
  await receiptsConsumer(() => rotated)(batch);
  expect((await download(person, id, rotated)).body.parts).toMatchObject({
    crm: { x: 1 },
    rollcall: { profile: { id: person.user.id } },
  });
  expect((await download(person, id)).status).toBe(503);
});

test('an answer after the other deadlines is the last one', async () => {
  await holder(ctx, admin, 'crm', { deadlineSeconds: 60 });
  await holder(ctx, admin, 'shop', { deadlineSeconds: 120 });
  const { id } = await requestOwnExport(ctx, person);
  later(ctx, 90);
  await byAmqp({ caseId: id, holder: 'shop', outcome: 'nothing_held' });
  expect((await get(person, id)).body).toMatchObject({
    state: 'partial',
    readyAt: ctx.clock.now.toISOString(),
  });
  expect(await told()).toBe(1);
});

test('is kept for seven days after it is ready, and then purged', async () => {
  await holder(ctx, admin, 'crm');
  const { id } = await requestOwnExport(ctx, person);
  later(ctx, 20 * DAY);
  await purgeEvents(ctx, 10_000);
  await byAmqp({ caseId: id, holder: 'crm', outcome: 'exported', data: { x: 1 } });
  later(ctx, 7 * DAY - 1);
  const found = async () => {
    const { accessToken } = await logInAdmin(ctx);
    return (await download({ ...admin, accessToken }, id)).status;
  };
  expect(await found()).toBe(200);
  later(ctx, 1);
  // Before the hourly run, too.
  expect(await found()).toBe(404);
  await byAmqp({ caseId: id, holder: 'crm', outcome: 'nothing_held' });
  expect(await refused()).toHaveLength(1);
  expect((await purgeEvents(ctx, 10_000)).exports).toBe(1);
  const { rows } = await sql`select from export_receipts`.execute(ctx.db);
  expect(rows).toEqual([]);
});

test('goes with the user: an erasure reaches what was collected', async () => {
  await holder(ctx, admin, 'crm');
  await holder(ctx, admin, 'shop');
  const { id } = await requestOwnExport(ctx, person);
  await byAmqp({ caseId: id, holder: 'crm', outcome: 'exported', data: { note: SECRET } });
  const key = await keyOf('shop');
  await erase(ctx, person);
  const { rows } = await sql`select from export_receipts`.execute(ctx.db);
  expect(rows).toEqual([]);
  expect((await get(person, id)).status).toBe(401);
  for (const at of [get, download]) expect((await at(admin, id)).status).toBe(404);
  expect((await byHttp(key, id, { outcome: 'exported', data: { note: SECRET } })).status).toBe(404);
  await byAmqp({ caseId: id, holder: 'shop', outcome: 'exported', data: { note: SECRET } });
  expect(await told()).toBe(0);
  expect(await stored()).not.toContain(SECRET);
});

test('an erasure and answers at the same time wait for each other, and nothing is left', async () => {
  const names = ['one', 'two', 'three'];
  for (const name of names) await holder(ctx, admin, name);
  const { id } = await requestOwnExport(ctx, person);
  const answers = names.map((name) =>
    byAmqp({ caseId: id, holder: name, outcome: 'exported', data: { x: 1 } }),
  );
  await Promise.all([erase(ctx, person), ...answers]);
  const { rows } = await sql`select from export_receipts`.execute(ctx.db);
  expect(rows).toEqual([]);
});

test('a holder stays while an export awaits its answer, and has no name of ours', async () => {
  await holder(ctx, admin, 'crm');
  const { id } = await requestOwnExport(ctx, person);
  const remove = () =>
    call(deleteDataHolder, ctx, { method: 'DELETE', params: { name: 'crm' }, token: admin.accessToken });
  expect((await remove()).body.code).toBe('holder_awaited');
  await byAmqp({ caseId: id, holder: 'crm', outcome: 'nothing_held' });
  expect((await remove()).status).toBe(204);
  await expect(holder(ctx, admin, 'rollcall')).rejects.toThrow('is the name of this service itself');
});

test('a holder that an export is asking at that moment stays too', async () => {
  await holder(ctx, admin, 'crm');
  const { removing } = await ctx.db.transaction().execute(async (tx) => {
    const part = Buffer.alloc(0);
    const opened = {
      id: ctx.newId(),
      userId: person.user.id,
      requestedBy: 'user',
      part,
      now: ctx.now(),
    } as const;
    await insertExport(tx, opened);
    const removing = call(deleteDataHolder, ctx, {
      method: 'DELETE',
      params: { name: 'crm' },
      token: admin.accessToken,
    });
    await untilLockIsAwaited(ctx);
    return { removing };
  });
  expect((await removing).body.code).toBe('holder_awaited');
});

test('the id of a case says what it is: no answer of one kind counts for the other', async () => {
  await holder(ctx, admin, 'crm');
  const key = await keyOf('crm');
  const { id } = await requestOwnExport(ctx, person);
  const erasure = await erase(ctx, await registerPerson(ctx));
  await byAmqp({ caseId: id, holder: 'crm', outcome: 'erased' });
  await byAmqp({ caseId: erasure.id, holder: 'crm', outcome: 'exported', data: { note: SECRET } });
  expect((await refused()).map(({ error }) => error)).toEqual(
    Array(2).fill(expect.stringContaining('The outcome does not fit')),
  );
  const nothing = { outcome: 'nothing_held' };
  expect((await byHttp(key, erasure.id, nothing)).status).toBe(404);
  const crossed = await call(receiveErasure, ctx, {
    method: 'POST',
    params: { id },
    token: key,
    body: nothing,
  });
  expect(crossed.status).toBe(404);
  expect((await get(person, id)).body.state).toBe('pending');
  expect(await stored()).not.toContain(SECRET);
});

test('an administrator answers for a holder that cannot; what is in the answer is not in the audit log', async () => {
  await holder(ctx, admin, 'crm');
  const { id } = await requestOwnExport(ctx, person);
  const body = { outcome: 'exported', data: { note: SECRET }, holder: 'crm' };
  expect((await byHttp(person.accessToken, id, body)).status).toBe(403);
  expect((await byHttp(admin.accessToken, id, body)).status).toBe(204);
  const acts = ctx.db.selectFrom('audit_log').selectAll().where('type', '=', 'export.receipt_recorded');
  expect(await acts.execute()).toMatchObject([
    { subject: id, details: { holder: 'crm', outcome: 'exported' } },
  ]);
  expect(await stored()).not.toContain(SECRET);
});
