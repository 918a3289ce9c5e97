import { handler as createWebhook } from '../../../functions/webhooks/create-webhook';
import { handler as deleteWebhook } from '../../../functions/webhooks/delete-webhook';
import { handler as getWebhook } from '../../../functions/webhooks/get-webhook';
import { handler as listWebhookDeliveries } from '../../../functions/webhooks/list-webhook-deliveries';
import { handler as listWebhooks } from '../../../functions/webhooks/list-webhooks';
import { handler as redeliverWebhook } from '../../../functions/webhooks/redeliver-webhook';
import { handler as rotateWebhookSecret } from '../../../functions/webhooks/rotate-webhook-secret';
import { handler as testWebhook } from '../../../functions/webhooks/test-webhook';
import { handler as updateWebhook } from '../../../functions/webhooks/update-webhook';
import { call } from '../../setup/http';
import type { TestRequest } from '../../setup/http-event';
import { logInAdmin, type Person } from '../../setup/people';
import { logInWith } from '../../setup/roles';
import { newEvents, sendOnce, type WebhookTestContext, webhookContext } from '../../setup/webhooks';

const BODY = { url: 'https://crm.example.com/hook', eventTypes: ['user.created'] };

let ctx: WebhookTestContext;
let admin: Person;
beforeAll(async () => {
  ctx = await webhookContext();
  admin = await logInAdmin(ctx);
});
afterEach(async () => {
  await ctx.db.deleteFrom('webhook_endpoints').execute();
});
afterAll(() => ctx.close());

const ask = (handle: Parameters<typeof call<WebhookTestContext>>[0], request: TestRequest = {}) =>
  call(handle, ctx, { token: admin.accessToken, ...request });
const create = async (body: object = BODY) => (await ask(createWebhook, { method: 'POST', body })).body;
const put = (id: string, body: unknown, headers: Record<string, string> = {}) =>
  ask(updateWebhook, { method: 'PUT', params: { id }, body, headers });
const read = async (id: string) => (await ask(getWebhook, { params: { id } })).body;

test('is made, with a secret that is shown once', async () => {
  const { status, headers, body } = await ask(createWebhook, { method: 'POST', body: BODY });
  const { secret, ...webhook } = body;
  expect([status, headers['location'], headers['etag']]).toEqual([201, `/webhooks/${webhook.id}`, '"1"']);
  expect(secret).toMatch(/^whsec_/);
  expect(webhook).toEqual({
    ...BODY,
    id: expect.any(String),
    description: null,
    retryDelaysSeconds: null,
    enabled: true,
    disabledAt: null,
    disabledReason: null,
    failingSince: null,
    previousSecretExpiresAt: null,
    createdAt: expect.any(String),
    updatedAt: expect.any(String),
    version: 1,
  });
  expect(await read(webhook.id)).toEqual(webhook);
  expect((await ask(listWebhooks)).body).toEqual({ webhooks: [webhook], nextCursor: null });
  const cached = await ask(getWebhook, {
    params: { id: webhook.id },
    headers: { 'if-none-match': '"1"' },
  });
  expect(cached.status).toBe(304);
});

test.each<[object, string]>([
  [{ url: 'http://crm.example:4/' }, 'url'],
  [{ url: 'https://10.0.0.1/' }, 'url'],
  [{ url: 'https://me:secret@crm.example/' }, 'url'],
  [{ url: `https://crm.example/${'x'.repeat(2048)}` }, 'url'],
  [{ url: '/hook' }, 'url'],
  [{ eventTypes: [] }, 'eventTypes'],
  [{ eventTypes: ['user.flown'] }, 'eventTypes.0'],
  [{ eventTypes: 'user.created' }, 'eventTypes'],
  [{ description: '' }, 'description'],
  [{ description: '\u{1F514}'.repeat(201) }, 'description'],
  [{ retryDelaysSeconds: [0] }, 'retryDelaysSeconds.0'],
  [{ retryDelaysSeconds: Array(21).fill(1) }, 'retryDelaysSeconds'],
  [{ enabled: 'no' }, 'enabled'],
  [{ secret: 'whsec_mine' }, 'secret'],
])('%j is refused, when it is made and when it is changed', async (wrong, path) => {
  const webhook = await create();
  for (const answer of [
    await ask(createWebhook, { method: 'POST', body: { ...BODY, ...wrong } }),
    await put(webhook.id, wrong),
  ]) {
    expect([answer.status, answer.body.errors[0].path]).toEqual([422, path]);
  }
  expect((await read(webhook.id)).version).toBe(1);
});

test('counts characters: an emoji is one', async () => {
  const description = '\u{1F514}'.repeat(200);
  expect((await create({ ...BODY, description })).description).toBe(description);
});

test('shows the URL as it will be used, and each type once', async () => {
  const webhook = await create({ url: 'HTTPS://CRM.example.com:443/a/../b', eventTypes: ['*', '*'] });
  expect(webhook).toMatchObject({ url: 'https://crm.example.com/b', eventTypes: ['*'] });
});

test('is changed in the fields that are sent; where nothing changes, nothing happens', async () => {
  const { id } = await create();
  const changed = await put(id, { eventTypes: ['*'], description: 'CRM', retryDelaysSeconds: [5, 10] });
  expect([changed.status, changed.headers['etag']]).toEqual([200, '"2"']);
  expect(changed.body).toMatchObject({
    url: BODY.url,
    eventTypes: ['*'],
    description: 'CRM',
    retryDelaysSeconds: [5, 10],
  });
  expect((await put(id, { description: 'CRM' })).body).toEqual(changed.body);
  const stale = await put(id, { description: null }, { 'if-match': '"1"' });
  expect([stale.status, stale.body.code, stale.headers['etag']]).toEqual([412, 'version_mismatch', '"2"']);
  expect((await put(id, { description: null }, { 'if-match': '"2"' })).body.description).toBeNull();
});

test('is disabled and enabled', async () => {
  const { id } = await create();
  expect((await put(id, { enabled: false })).body).toMatchObject({
    enabled: false,
    disabledAt: expect.any(String),
    disabledReason: 'requested',
  });
  expect((await put(id, { description: 'asleep' })).body).toMatchObject({ enabled: false, version: 3 });
  for (const answer of [
    await ask(testWebhook, { method: 'POST', params: { id } }),
    await ask(redeliverWebhook, { method: 'POST', params: { id, deliveryId: id } }),
  ]) {
    expect([answer.status, answer.body.code]).toEqual([409, 'webhook_disabled']);
  }
  expect((await put(id, { enabled: true })).body).toMatchObject({ enabled: true, disabledAt: null });
});

test('gets another secret, shown once; the one before is good for a day', async () => {
  const made = await create();
  const rotate = (headers = {}) =>
    ask(rotateWebhookSecret, { method: 'POST', params: { id: made.id }, headers });
  const { status, headers, body } = await rotate();
  expect([status, headers['etag'], body.version]).toEqual([200, '"2"', 2]);
  expect(body.secret).not.toBe(made.secret);
  const hours = (Date.parse(body.previousSecretExpiresAt) - Date.parse(body.updatedAt)) / 3_600_000;
  expect(hours).toBe(24);
  const stale = await rotate({ 'if-match': '"1"' });
  expect([stale.status, stale.body.code]).toEqual([412, 'version_mismatch']);
  expect(await read(made.id)).not.toHaveProperty('secret');
});

test('is deleted, with its deliveries', async () => {
  const { id } = await create();
  await newEvents(ctx, 1);
  const remove = (headers = {}) => ask(deleteWebhook, { method: 'DELETE', params: { id }, headers });
  expect((await remove({ 'if-match': '"9"' })).status).toBe(412);
  expect((await remove()).status).toBe(204);
  expect((await remove()).status).toBe(404);
  expect(await ctx.db.selectFrom('webhook_deliveries').selectAll().execute()).toEqual([]);
});

test('has a log of deliveries, by status and a page at a time, and sends one again', async () => {
  const there = await ctx.receiver();
  const { id } = await create({ ...BODY, url: there.url });
  await newEvents(ctx, 3);
  await sendOnce(ctx);
  await newEvents(ctx, 2);
  const list = async (query: Record<string, string> = {}) =>
    (await ask(listWebhookDeliveries, { params: { id }, query })).body;
  const all = await list();
  expect(all.deliveries).toHaveLength(5);
  expect((await list({ status: 'succeeded' })).deliveries).toHaveLength(3);
  expect((await list({ status: 'failed' })).deliveries).toEqual([]);

  const paged = [];
  for (let cursor: string | undefined; cursor !== null; ) {
    const page = await list({ limit: '2', ...(cursor && { cursor }) });
    paged.push(...page.deliveries);
    cursor = page.nextCursor;
  }
  expect(paged).toEqual(all.deliveries);

  const [done] = (await list({ status: 'succeeded' })).deliveries;
  expect(done.attempts).toMatchObject([{ attempt: 1, responseStatus: 204 }]);
  const again = await ask(redeliverWebhook, { method: 'POST', params: { id, deliveryId: done.id } });
  expect([again.status, again.body.status]).toEqual([202, 'pending']);
  await sendOnce(ctx);
  const seen = there.messages.filter(({ headers }) => headers['webhook-id'] === done.id);
  expect(seen).toHaveLength(2);

  const test = await ask(testWebhook, { method: 'POST', params: { id } });
  expect([test.status, test.body.type]).toEqual([202, 'webhook.test']);
});

test('several are listed, newest first, a page at a time', async () => {
  const ids = [(await create()).id, (await create()).id, (await create()).id];
  const first = (await ask(listWebhooks, { query: { limit: '2' } })).body;
  const second = (await ask(listWebhooks, { query: { limit: '2', cursor: first.nextCursor } })).body;
  const listed = [...first.webhooks, ...second.webhooks].map((webhook) => webhook.id);
  expect([listed, second.nextCursor]).toEqual([ids.reverse(), null]);
});

test.each(['01890000-0000-7000-8000-000000000000', 'nonsense', ''])('%j is not found', async (id) => {
  const made = await create();
  for (const answer of [
    await ask(getWebhook, { params: { id } }),
    await put(id, { enabled: true }),
    await ask(deleteWebhook, { method: 'DELETE', params: { id } }),
    await ask(rotateWebhookSecret, { method: 'POST', params: { id } }),
    await ask(testWebhook, { method: 'POST', params: { id } }),
    await ask(listWebhookDeliveries, { params: { id } }),
    await ask(redeliverWebhook, { method: 'POST', params: { id, deliveryId: id } }),
    await ask(redeliverWebhook, { method: 'POST', params: { id: made.id, deliveryId: id } }),
  ]) {
    expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
  }
});

test('take webhooks:read to see and webhooks:write to change', async () => {
  const { id } = await create();
  const reader = await logInWith(ctx, admin, ['webhooks:read']);
  const writer = await logInWith(ctx, admin, ['webhooks:write']);
  const params = { id, deliveryId: id };
  const reading = [listWebhooks, getWebhook, listWebhookDeliveries];
  const changing = [rotateWebhookSecret, testWebhook, redeliverWebhook, updateWebhook, createWebhook];
  const statuses = async (handles: Parameters<typeof ask>[0][], { accessToken: token }: Person) => {
    const answers = await Promise.all(handles.map((handle) => ask(handle, { params, body: BODY, token })));
    return new Set(answers.map(({ status }) => status === 403));
  };
  expect(await statuses(reading, reader)).toEqual(new Set([false]));
  expect(await statuses(reading, writer)).toEqual(new Set([true]));
  expect(await statuses([...changing, deleteWebhook], reader)).toEqual(new Set([true]));
  expect(await statuses([...changing, deleteWebhook], writer)).toEqual(new Set([false]));
});
