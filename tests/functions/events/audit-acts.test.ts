// Whoever changes the service leaves an entry in the audit log: who, from where, and what was before and after.
import { join } from 'node:path';
import { sql } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { handler as rebuildAnalytics } from '../../../functions/analytics/rebuild-analytics';
import { audit as auditWith } from '../../../functions/consumers/audit';
import { handler as createHolderKey } from '../../../functions/erasures/create-holder-key';
import { handler as deleteDataHolder } from '../../../functions/erasures/delete-data-holder';
import { handler as putDataHolder } from '../../../functions/erasures/put-data-holder';
import { handler as receiveExportReceipt } from '../../../functions/erasures/receive-export-receipt';
import { handler as receiveReceipt } from '../../../functions/erasures/receive-receipt';
import { handler as redriveErasure } from '../../../functions/erasures/redrive-erasure';
import { handler as deleteDeadLetter } from '../../../functions/events/delete-dead-letter';
import { handler as editDeadLetter } from '../../../functions/events/edit-dead-letter';
import { handler as listAudit } from '../../../functions/events/list-audit';
import { handler as redriveDeadLetter } from '../../../functions/events/redrive-dead-letter';
import { handler as redriveDeadLetters } from '../../../functions/events/redrive-dead-letters';
import { handler as replayEvents } from '../../../functions/events/replay-events';
import { handler as deleteRole } from '../../../functions/roles/delete-role';
import { handler as putRole } from '../../../functions/roles/put-role';
import { handler as changeRole } from '../../../functions/users/change-role';
import { handler as restoreUser } from '../../../functions/users/restore-user';
import { handler as suspendUser } from '../../../functions/users/suspend-user';
import { handler as updateUser } from '../../../functions/users/update-user';
import { handler as createWebhook } from '../../../functions/webhooks/create-webhook';
import { handler as deleteWebhook } from '../../../functions/webhooks/delete-webhook';
import { handler as redeliverWebhook } from '../../../functions/webhooks/redeliver-webhook';
import { handler as rotateWebhookSecret } from '../../../functions/webhooks/rotate-webhook-secret';
import { handler as testWebhook } from '../../../functions/webhooks/test-webhook';
import { handler as updateWebhook } from '../../../functions/webhooks/update-webhook';
import { functionFiles, ROOT } from '../../../scripts/function-files';
import { queueOf } from '../../../shared/broker/topology';
import { EVENT_TYPES } from '../../../shared/events/catalog';
import { consume } from '../../setup/consume';
import { type TestContext, testContext } from '../../setup/context';
import { erase, requestOwnExport } from '../../setup/erasures';
import { storedEvents } from '../../setup/events';
import { call } from '../../setup/http';
import { documentedOf } from '../../setup/openapi';
import { logInAdmin, type Person, registerPerson } from '../../setup/people';

type Handle = Parameters<typeof call<TestContext>>[0];

let ctx: TestContext;
let admin: Person;
let queue: string;
beforeAll(async () => {
  ctx = await testContext();
  admin = await logInAdmin(ctx);
  queue = queueOf(ctx.config.events, 'audit');
});
afterAll(() => ctx.close());
beforeEach(async () => {
  ctx.clock.now = new Date(ctx.clock.now.getTime() + 1);
});

const ADDRESS = '198.51.100.7';

/** Asks for something as the administrator. @returns the answer */
async function act(handle: Handle, method: string, params: Record<string, string> = {}, body?: unknown) {
  const headers = { 'user-agent': 'a browser', 'x-request-id': 'the-request' };
  const request = { method, params, headers, address: ADDRESS, token: admin.accessToken };
  return call(handle, ctx, body === undefined ? request : { ...request, body });
}

/** The newest entries of a type, as the API shows them. */
async function entriesOf(type: string) {
  const { body } = await call(listAudit, ctx, { query: { type }, token: admin.accessToken });
  return body.entries;
}

const byAdmin = (type: string, subject: string | null, details: unknown) => ({
  eventId: expect.any(String),
  type,
  subject,
  actor: admin.user.id,
  time: ctx.clock.now.toISOString(),
  address: ADDRESS,
  userAgent: 'a browser',
  requestId: 'the-request',
  details,
});

test('a role: made, changed, deleted; not where nothing has changed, or it was refused', async () => {
  const name = 'helper';
  const put = (permissions: string[]) => act(putRole, 'PUT', { name }, { permissions });
  await put(['users:read']);
  expect(await entriesOf('role.created')).toEqual([
    byAdmin('role.created', null, {
      name,
      before: null,
      after: { permissions: ['users:read'], requiresFactor: false },
    }),
  ]);
  await put(['users:read']);
  expect(await entriesOf('role.changed')).toEqual([]);
  await put(['users:write', 'users:read']);
  const both = { permissions: ['users:read', 'users:write'], requiresFactor: false };
  expect(await entriesOf('role.changed')).toEqual([
    byAdmin('role.changed', null, {
      name,
      before: { permissions: ['users:read'], requiresFactor: false },
      after: both,
    }),
  ]);
  const person = await registerPerson(ctx);
  await act(changeRole, 'PUT', { id: person.user.id }, { role: name });
  expect((await act(deleteRole, 'DELETE', { name })).body.code).toBe('role_in_use');
  expect(await entriesOf('role.deleted')).toEqual([]);
  await act(changeRole, 'PUT', { id: person.user.id }, { role: 'user' });
  await act(deleteRole, 'DELETE', { name });
  expect(await entriesOf('role.deleted')).toEqual([
    byAdmin('role.deleted', null, { name, before: both, after: null }),
  ]);
});

test('a webhook: made, changed, its secret rotated, tried, sent again, deleted; never its secret or its path', async () => {
  const given = { url: 'https://a.example/T0KEN', eventTypes: ['user.created'] };
  const { body: webhook } = await act(createWebhook, 'POST', {}, given);
  const { id } = webhook;
  const rest = { description: null, retryDelaysSeconds: null, enabled: true };
  const first = { host: 'a.example', eventTypes: ['user.created'], ...rest };
  expect(await entriesOf('webhook.created')).toEqual([
    byAdmin('webhook.created', id, { before: null, after: first }),
  ]);

  await act(updateWebhook, 'PUT', { id }, { url: 'https://a.example/0THER', eventTypes: ['*'] });
  const second = { ...first, eventTypes: ['*'] };
  expect(await entriesOf('webhook.changed')).toEqual([
    byAdmin('webhook.changed', id, { urlChanged: true, before: first, after: second }),
  ]);
  await act(updateWebhook, 'PUT', { id }, { eventTypes: ['*'] });
  expect(await entriesOf('webhook.changed')).toHaveLength(1);

  const { body: rotated } = await act(rotateWebhookSecret, 'POST', { id });
  expect(await entriesOf('webhook.secret_rotated')).toEqual([
    byAdmin('webhook.secret_rotated', id, {
      host: 'a.example',
      before: { previousSecretExpiresAt: null },
      after: { previousSecretExpiresAt: rotated.previousSecretExpiresAt },
    }),
  ]);

  const { body: delivery } = await act(testWebhook, 'POST', { id });
  const sent = { host: 'a.example', deliveryId: delivery.id };
  expect(await entriesOf('webhook.tested')).toEqual([byAdmin('webhook.tested', id, sent)]);
  await act(redeliverWebhook, 'POST', { id, deliveryId: delivery.id });
  expect(await entriesOf('webhook.redelivered')).toEqual([
    byAdmin('webhook.redelivered', id, { ...sent, eventType: 'webhook.test' }),
  ]);

  await act(deleteWebhook, 'DELETE', { id });
  expect(await entriesOf('webhook.deleted')).toEqual([
    byAdmin('webhook.deleted', id, { before: second, after: null }),
  ]);
  const { rows } = await sql<{
    text: string;
  }>`select string_agg(audit_log::text, '') as text from audit_log`.execute(ctx.db);
  for (const secret of [webhook.secret, rotated.secret, 'T0KEN', '0THER'])
    expect(rows[0]?.text).not.toContain(secret);
});

test('a dead letter: edited, redriven alone or with its queue, deleted; never what was in it', async () => {
  const { user } = await registerPerson(ctx);
  const [event] = (await storedEvents(ctx)).filter(({ subject }) => subject === user.id);
  const about = { queue, messageId: event?.id, eventType: 'user.created', eventSubject: user.id };
  const store = async (): Promise<string> => {
    const id = uuidv7();
    await sql`
      insert into dead_letters (id, fingerprint, queue, message_id, event, subject, error, attempts)
      values (${id}, ${Buffer.from(id)}, ${queue}, ${event?.id}, ${JSON.stringify(event)}, ${user.id}, 'no', 6)`.execute(
      ctx.db,
    );
    return id;
  };

  const id = await store();
  const edited = { ...event, data: { ...event?.data, username: 'somebody_else' } };
  await act(editDeadLetter, 'PUT', { id }, { event: edited });
  expect(await entriesOf('dead_letter.edited')).toEqual([
    byAdmin('dead_letter.edited', id, { fields: ['data.username'], before: about, after: about }),
  ]);
  await act(redriveDeadLetter, 'POST', { id });
  expect(await entriesOf('dead_letter.redriven')).toEqual([byAdmin('dead_letter.redriven', id, about)]);

  const other = await store();
  await act(deleteDeadLetter, 'DELETE', { id: other });
  expect(await entriesOf('dead_letter.deleted')).toEqual([
    byAdmin('dead_letter.deleted', other, { before: about, after: null }),
  ]);

  await store();
  await act(redriveDeadLetters, 'POST', {}, { queue });
  expect(await entriesOf('dead_letters.redriven')).toEqual([
    byAdmin('dead_letters.redriven', null, { queue, redriven: 1 }),
  ]);
  const { rows } = await sql<{
    text: string;
  }>`select string_agg(audit_log::text, '') as text from audit_log`.execute(ctx.db);
  for (const personal of [user.username, user.email, 'somebody_else'])
    expect(rows[0]?.text).not.toContain(personal);
});

test('a replay and a rebuild: what was asked for, and the replay that does it', async () => {
  const subject = admin.user.id;
  await act(
    replayEvents,
    'POST',
    {},
    { queue, from: '2026-11-01', types: ['user.created', 'user.created'], subject },
  );
  expect(await entriesOf('events.replayed')).toEqual([
    byAdmin('events.replayed', null, {
      queue,
      from: '2026-11-01T00:00:00.000Z',
      types: ['user.created'],
      subject,
      replayId: expect.any(String),
    }),
  ]);
  const { body } = await act(rebuildAnalytics, 'POST', {}, {});
  expect(await entriesOf('analytics.rebuilt')).toEqual([byAdmin('analytics.rebuilt', null, body)]);
});

test('a data holder: made, changed, given a key, asked again, answered for, deleted; never who its contact is', async () => {
  const params = { name: 'crm' };
  const contact = 'privacy@crm.example';
  await act(putDataHolder, 'PUT', params, { queue: 'crm' });
  const made = { deadlineSeconds: 2_592_000, queue: 'crm', hasKey: false };
  const details = { ...params, before: null, after: made };
  expect(await entriesOf('data_holder.created')).toEqual([byAdmin('data_holder.created', null, details)]);
  await act(putDataHolder, 'PUT', params, { queue: 'crm', contact });
  expect(await entriesOf('data_holder.changed')).toEqual([
    byAdmin('data_holder.changed', null, { ...params, contactChanged: true, before: made, after: made }),
  ]);
  await act(createHolderKey, 'POST', params);
  expect(await entriesOf('data_holder.key_created')).toEqual([
    byAdmin('data_holder.key_created', null, params),
  ]);

  const { id } = await erase(ctx, await registerPerson(ctx));
  await act(redriveErasure, 'POST', { id, ...params });
  expect(await entriesOf('erasure.redriven')).toEqual([byAdmin('erasure.redriven', id, { holder: 'crm' })]);
  const { id: exportId } = await requestOwnExport(ctx, await registerPerson(ctx));
  const answers = [
    [receiveReceipt, id, 'erasure.receipt_recorded', 'erased'],
    [receiveExportReceipt, exportId, 'export.receipt_recorded', 'nothing_held'],
  ] as const;
  for (const [receive, caseId, type, outcome] of answers) {
    await act(receive, 'POST', { id: caseId }, { outcome, holder: 'crm' });
    expect(await entriesOf(type)).toEqual([byAdmin(type, caseId, { outcome, holder: 'crm' })]);
  }

  await act(deleteDataHolder, 'DELETE', params);
  expect(await entriesOf('data_holder.deleted')).toEqual([
    byAdmin('data_holder.deleted', null, { ...params, before: { ...made, hasKey: true }, after: null }),
  ]);
  const { body } = await call(listAudit, ctx, { query: { limit: '100' }, token: admin.accessToken });
  expect(JSON.stringify(body)).not.toContain(contact);
});

test('an act that fails leaves no entry, and an entry that fails no act', async () => {
  await sql`alter table audit_log add constraint no_roles check (type <> 'role.created') not valid`.execute(
    ctx.db,
  );
  const name = 'unrecorded';
  expect((await act(putRole, 'PUT', { name }, { permissions: [] })).status).toBe(500);
  await sql`alter table audit_log drop constraint no_roles`.execute(ctx.db);
  expect((await act(deleteRole, 'DELETE', { name })).status).toBe(404);
  expect(
    (await entriesOf('role.deleted')).filter(
      (entry: { details: { name: string } }) => entry.details.name === name,
    ),
  ).toEqual([]);
});

test('of what is done to a user, roles before and after and the names of fields, and no values', async () => {
  const { user } = await registerPerson(ctx);
  await act(updateUser, 'PUT', { id: user.id }, { displayName: 'Somebody', metadata: { a: 1 } });
  await act(changeRole, 'PUT', { id: user.id }, { role: 'admin' });
  await act(suspendUser, 'PUT', { id: user.id }, { reason: 'Spam', until: '2999-01-01T00:00:00Z' });
  await act(restoreUser, 'DELETE', { id: user.id });
  const handler = auditWith(() => ctx);
  await consume(handler, await storedEvents(ctx));
  const { body } = await call(listAudit, ctx, { query: { subject: user.id }, token: admin.accessToken });
  const details = Object.fromEntries(
    body.entries.map((entry: { type: string; details: unknown }) => [entry.type, entry.details]),
  );
  expect(details).toEqual({
    'user.created': { role: 'user' },
    'user.updated': { fields: ['displayName', 'metadata'] },
    'user.role_changed': { before: { role: 'user' }, after: { role: 'admin' } },
    'user.suspended': { until: '2999-01-01T00:00:00.000Z' },
    'user.restored': null,
    'session.revoked': {
      sessionId: expect.any(String),
      reason: 'revoked',
      cause: 'user_suspended',
    },
  });
});

/** What is recorded of each operation that a permission allows: an event, or an entry of its own. */
const RECORDED: Record<string, string[]> = {
  updateUser: ['user.updated', 'user.email_changed', 'user.email_verified'],
  deleteUser: ['user.deleted'],
  changePassword: ['user.password_changed'],
  changeRole: ['user.role_changed'],
  suspendUser: ['user.suspended'],
  restoreUser: ['user.restored'],
  revokeSessions: ['session.revoked'],
  revokeSession: ['session.revoked'],
  removeFactor: ['user.factor_removed'],
  removePasskey: ['user.passkey_removed'],
  putRole: ['role.created', 'role.changed'],
  deleteRole: ['role.deleted'],
  replayEvents: ['events.replayed'],
  rebuildAnalytics: ['analytics.rebuilt'],
  editDeadLetter: ['dead_letter.edited'],
  deleteDeadLetter: ['dead_letter.deleted'],
  redriveDeadLetter: ['dead_letter.redriven'],
  redriveDeadLetters: ['dead_letters.redriven'],
  createWebhook: ['webhook.created'],
  updateWebhook: ['webhook.changed'],
  deleteWebhook: ['webhook.deleted'],
  rotateWebhookSecret: ['webhook.secret_rotated'],
  testWebhook: ['webhook.tested'],
  redeliverWebhook: ['webhook.redelivered'],
  eraseUser: ['user.erasure_requested'],
  requestExport: ['user.export_requested'],
  receiveReceipt: ['erasure.receipt_recorded'],
  receiveExportReceipt: ['export.receipt_recorded'],
  redriveErasure: ['erasure.redriven'],
  putDataHolder: ['data_holder.created', 'data_holder.changed'],
  deleteDataHolder: ['data_holder.deleted'],
  createHolderKey: ['data_holder.key_created'],
  // Changes nothing.
  lookUpErasures: [],
};

test('nothing that a permission allows goes unrecorded', async () => {
  const acts = [...functionFiles().values()].flatMap((file) => {
    const { handler } = jest.requireActual<{ handler: Partial<Handle> & object }>(join(ROOT, file));
    const operation = handler.definition?.access.permission && documentedOf(handler);
    return operation && operation.method !== 'get' ? [operation.operation.operationId] : [];
  });
  expect(acts.sort()).toEqual(Object.keys(RECORDED).sort());
  const seen = await ctx.db.selectFrom('audit_log').select('type').distinct().execute();
  const known = new Set<string>([...EVENT_TYPES, ...seen.map(({ type }) => type)]);
  expect(
    Object.values(RECORDED)
      .flat()
      .filter((type) => !known.has(type)),
  ).toEqual([]);
});
