// Data holders: registering them, and asking again those that are late.
import { handler as createHolderKey } from '../../../functions/erasures/create-holder-key';
import { handler as deleteDataHolder } from '../../../functions/erasures/delete-data-holder';
import { handler as getDataHolder } from '../../../functions/erasures/get-data-holder';
import { handler as listDataHolders } from '../../../functions/erasures/list-data-holders';
import { handler as putDataHolder } from '../../../functions/erasures/put-data-holder';
import { handler as receive } from '../../../functions/erasures/receive-receipt';
import { handler as redrive } from '../../../functions/erasures/redrive-erasure';
import type { Tx } from '../../../shared/db/connection';
import { insertCase } from '../../../shared/erasure/case-store';
import { followUpErasures } from '../../../shared/erasure/follow-up-erasures';
import { insertExport } from '../../../shared/exports/export-store';
import { claimEvents } from '../../../shared/outbox/dispatch-store';
import type { TestContext } from '../../setup/context';
import { untilLockIsAwaited } from '../../setup/database';
import { caseOf, erase, holder } from '../../setup/erasures';
import { later } from '../../setup/factors';
import { call } from '../../setup/http';
import { type MailContext, mailContext } from '../../setup/mail-flow';
import { makeDue } from '../../setup/outbox';
import { logInAdmin, type Person, registerPerson } from '../../setup/people';
import { logInWith } from '../../setup/roles';

let mail: MailContext;
let ctx: TestContext;
let admin: Person;
beforeEach(async () => {
  mail = await mailContext();
  ctx = mail.ctx;
  admin = await logInAdmin(ctx);
});
afterEach(() => mail.close());

const put = (name: string, body: object, more: object = {}) =>
  call(putDataHolder, ctx, { method: 'PUT', params: { name }, body, token: admin.accessToken, ...more });
const get = (name: string, more: object = {}) =>
  call(getDataHolder, ctx, { params: { name }, token: admin.accessToken, ...more });
const remove = (name: string) =>
  call(deleteDataHolder, ctx, { method: 'DELETE', params: { name }, token: admin.accessToken });
const answer = (id: string, name: string) =>
  call(receive, ctx, {
    method: 'POST',
    params: { id },
    token: admin.accessToken,
    body: { outcome: 'erased', holder: name },
  });
/** What the relay sends to a queue of its own. */
const sentTo = async (queue: string) => {
  await makeDue(ctx);
  const { events } = await claimEvents(ctx.db, 10_000);
  return events.filter((item) => item.queue === queue).map(({ event }) => event);
};

test('a holder is created, read, changed and removed', async () => {
  const created = await put('crm', {});
  expect([created.status, created.headers['location']]).toEqual([201, '/data-holders/crm']);
  expect(created.body).toMatchObject({
    contact: null,
    deadlineSeconds: 2_592_000,
    queue: null,
    hasKey: false,
  });
  expect((await put('crm', {})).body.version).toBe(1);
  const settings = { contact: 'crm@example.com', deadlineSeconds: 600, queue: 'crm.rollcall' };
  const changed = await put('crm', settings, { headers: { 'if-match': '"1"' } });
  expect([changed.status, changed.body.version]).toEqual([200, 2]);
  expect((await put('crm', {}, { headers: { 'if-match': '"1"' } })).body.code).toBe('version_mismatch');
  expect((await get('crm')).body).toMatchObject(settings);
  expect((await get('crm', { headers: { 'if-none-match': '"2"' } })).status).toBe(304);
  const { body } = await call(listDataHolders, ctx, { token: admin.accessToken });
  expect(body.dataHolders.map(({ name }: { name: string }) => name)).toEqual(['crm']);
  expect((await remove('crm')).status).toBe(204);
  expect((await get('crm')).status).toBe(404);
  expect((await remove('crm')).status).toBe(404);
});

test.each([
  [{ deadlineSeconds: 59 }, 'deadlineSeconds'],
  [{ deadlineSeconds: 1e9 }, 'deadlineSeconds'],
  [{ deadlineSeconds: 60.5 }, 'deadlineSeconds'],
  [{ contact: 'nobody' }, 'contact'],
  [{ queue: '' }, 'queue'],
  [{ queue: 'amq.gen-1' }, 'queue'],
  [{ queue: 'x'.repeat(256) }, 'queue'],
  [{ queue: 'a\0b' }, 'queue'],
  [{ key: 'mine' }, 'key'],
])('%j is refused', async (body, path) => {
  const reply = await put('crm', body);
  expect([reply.status, reply.body.errors[0].path]).toEqual([422, path]);
});

test.each(['Crm', '1crm', '', 'x'.repeat(65), '../x', 'a b'])('the name %j is refused', async (name) => {
  const reply = await put(name, {});
  expect([reply.status, reply.body.errors[0].path]).toEqual([422, 'name']);
});

test('only with the permission, and a key only after a recent proof', async () => {
  await put('crm', {});
  const reader = await logInWith(ctx, admin, ['erasures:read']);
  expect((await get('crm', { token: reader.accessToken })).status).toBe(200);
  expect((await put('crm', {}, { token: reader.accessToken })).status).toBe(403);
  const nobody = await registerPerson(ctx);
  expect((await get('crm', { token: nobody.accessToken })).status).toBe(403);
  const key = (name = 'crm') =>
    call(createHolderKey, ctx, { method: 'POST', params: { name }, token: admin.accessToken });
  expect((await key('nothing')).status).toBe(404);
  expect((await key()).body).toMatchObject({ hasKey: true, key: expect.stringMatching(/^rollcall_holder_/) });
  expect((await get('crm')).body).not.toHaveProperty('key');
  later(ctx, 600);
  expect((await key()).body.code).toBe('reauthentication_required');
});

test('a holder stays while an open case awaits its answer', async () => {
  await put('crm', {});
  const { id } = await erase(ctx, await registerPerson(ctx));
  const refused = await remove('crm');
  expect([refused.status, refused.body.code]).toEqual([409, 'holder_awaited']);
  await answer(id, 'crm');
  expect((await remove('crm')).status).toBe(204);
  expect(await caseOf(ctx, admin, id)).toMatchObject({ receipts: [{ holder: 'crm', outcome: 'erased' }] });
});

const OPENED: Record<string, (tx: Tx, userId: string) => Promise<unknown>> = {
  'an erasure': (tx, userId) =>
    insertCase(tx, {
      id: ctx.newId(),
      userId,
      eventId: ctx.newId(),
      sequence: '0000000001',
      addressHash: null,
      requestedBy: 'user',
      now: ctx.now(),
    }),
  'an export': (tx, userId) =>
    insertExport(tx, {
      id: ctx.newId(),
      userId,
      requestedBy: 'user',
      part: Buffer.from('sealed'),
      now: ctx.now(),
    }),
};

test.each(Object.keys(OPENED))('a holder stays while %s is being opened at that moment', async (kind) => {
  await holder(ctx, admin, 'crm');
  const { removing } = await ctx.db.transaction().execute(async (tx) => {
    await OPENED[kind]?.(tx, admin.user.id);
    const removing = remove('crm');
    await untilLockIsAwaited(ctx);
    return { removing };
  });
  expect((await removing).body.code).toBe('holder_awaited');
});

test('who is late is asked again each day, by its queue and by one mail to its contact', async () => {
  await holder(ctx, admin, 'crm', { deadlineSeconds: 60, contact: 'crm@example.com', queue: 'crm.rollcall' });
  await holder(ctx, admin, 'shop', { deadlineSeconds: 60, contact: 'crm@example.com' });
  await holder(ctx, admin, 'slow', { deadlineSeconds: 86_400 * 30, queue: 'slow.rollcall' });
  const cases = [await erase(ctx, await registerPerson(ctx)), await erase(ctx, await registerPerson(ctx))];
  const run = () => followUpErasures(ctx, 10_000);
  expect(await run()).toEqual({ reminded: 0, overdue: 0 });
  later(ctx, 60);
  // Two at once: each answer is asked for by one of them.
  const runs = await Promise.all([run(), run()]);
  expect(runs.reduce((sum, { reminded }) => sum + reminded, 0)).toBe(4);
  const again = await sentTo('crm.rollcall');
  expect(again.map(({ type, data }) => [type, data])).toEqual(
    cases.map(({ id, userId }) => ['user.erasure_requested', { id: userId, caseId: id }]),
  );
  const original = await ctx.db
    .selectFrom('events')
    .select(['id', 'sequence'])
    .where('type', '=', 'user.erasure_requested')
    .orderBy('position')
    .execute();
  expect(again.map(({ id, sequence }) => ({ id, sequence }))).toEqual(original);
  expect(await sentTo('slow.rollcall')).toEqual([]);
  const mails = mail.server.mails.filter(({ to }) => JSON.stringify(to).includes('crm@example.com'));
  expect(mails.length).toBeLessThanOrEqual(2);
  expect(mails.map(({ subject }) => subject).join()).toContain('overdue at Rollcall');
  expect(await run()).toEqual({ reminded: 0, overdue: 4 });
  later(ctx, 86_401);
  await answer(cases[0].id, 'crm').catch(() => {});
  admin = await logInAdmin(ctx);
  await answer(cases[0].id, 'crm');
  expect(await run()).toEqual({ reminded: 3, overdue: 3 });
  expect((await caseOf(ctx, admin, cases[1].id)).receipts[0]).toMatchObject({ holder: 'crm', reminders: 2 });
});

test('one holder is asked again by hand, once while that waits, and not after its answer', async () => {
  await holder(ctx, admin, 'crm', { queue: 'crm.rollcall' });
  await holder(ctx, admin, 'shop');
  const { id } = await erase(ctx, await registerPerson(ctx));
  const ask = (name: string, of = id) =>
    call(redrive, ctx, { method: 'POST', params: { id: of, name }, token: admin.accessToken });
  expect((await ask('crm')).status).toBe(202);
  expect((await ask('crm')).body.code).toBe('not_redrivable');
  expect((await ask('shop')).body.code).toBe('not_redrivable');
  expect((await ask('nobody')).status).toBe(404);
  expect((await ask('crm', admin.user.id)).status).toBe(404);
  expect(await sentTo('crm.rollcall')).toHaveLength(1);
  await answer(id, 'crm');
  expect((await ask('crm')).body.detail).toBe('The data holder has answered');
});

describe('a request that waits because its queue is missing', () => {
  const settings = { deadlineSeconds: 60, queue: 'misspelled' };
  const waiting = async () =>
    (await ctx.db.selectFrom('dispatch').select('queue').where('queue', 'is not', null).execute()).map(
      ({ queue }) => queue,
    );
  /** Two cases that are late at these holders. @returns the first one's id */
  const askAgain = async (...names: string[]) => {
    for (const name of names) await holder(ctx, admin, name, settings);
    const { id } = await erase(ctx, await registerPerson(ctx));
    await erase(ctx, await registerPerson(ctx));
    later(ctx, 60);
    await followUpErasures(ctx, 10_000);
    return id;
  };

  test('is withdrawn with the answer', async () => {
    const id = await askAgain('crm');
    expect(await waiting()).toEqual(['misspelled', 'misspelled']);
    await answer(id, 'crm');
    expect(await waiting()).toEqual(['misspelled']);
  });

  test('is withdrawn when the queue changes, and goes to the other one the next time', async () => {
    const id = await askAgain('crm');
    await holder(ctx, admin, 'crm', { ...settings, queue: 'crm.rollcall' });
    expect(await waiting()).toEqual([]);
    await call(redrive, ctx, { method: 'POST', params: { id, name: 'crm' }, token: admin.accessToken });
    expect(await waiting()).toEqual(['crm.rollcall']);
  });

  test('stays for another holder that reads the same queue', async () => {
    const id = await askAgain('crm', 'shop');
    await answer(id, 'crm');
    await holder(ctx, admin, 'crm', { ...settings, queue: 'crm.rollcall' });
    // One for each holder of each case.
    expect(await waiting()).toHaveLength(4);
    await answer(id, 'shop');
    expect(await waiting()).toHaveLength(2);
  });
});

test('a mail that cannot be sent is logged, and the queue is asked all the same', async () => {
  await holder(ctx, admin, 'crm', { deadlineSeconds: 60, contact: 'crm@example.com', queue: 'crm.rollcall' });
  await erase(ctx, await registerPerson(ctx));
  later(ctx, 60);
  const without = { ...ctx, config: { ...ctx.config, mail: { ...ctx.config.mail, smtpUrl: undefined } } };
  expect(await followUpErasures(without, 10_000)).toEqual({ reminded: 1, overdue: 1 });
  expect(ctx.logged.map(({ message }) => message)).toContain('A reminder of overdue erasures was not sent');
  expect(await sentTo('crm.rollcall')).toHaveLength(1);
});

test('after the budget no further mail is begun, so that the run can say what is overdue', async () => {
  await holder(ctx, admin, 'crm', { deadlineSeconds: 60, contact: 'crm@example.com' });
  await holder(ctx, admin, 'shop', { deadlineSeconds: 60, contact: 'shop@example.com' });
  await erase(ctx, await registerPerson(ctx));
  later(ctx, 60);
  const without = { ...ctx, config: { ...ctx.config, mail: { ...ctx.config.mail, smtpUrl: undefined } } };
  const notSent = () => ctx.logged.filter(({ message }) => message.startsWith('A reminder of overdue'));
  const now = performance.now.bind(performance);
  // The first mail takes a minute.
  const clock = jest
    .spyOn(performance, 'now')
    .mockImplementation(() => now() + (notSent().length > 0 ? 60_000 : 0));
  const report = await followUpErasures(without, 10_000).finally(() => clock.mockRestore());
  expect(report).toEqual({ reminded: 2, overdue: 2 });
  expect(notSent().map(({ error }) => JSON.stringify(error))).toEqual([
    expect.stringContaining('SMTP_URL'),
    expect.stringContaining('no time was left'),
  ]);
});
