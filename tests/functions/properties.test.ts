// What holds for any input and any sequence of changes, on the real database.
import fc from 'fast-check';
import { handler as listRegistrations } from '../../functions/analytics/list-registrations';
import { handler as forgotPassword } from '../../functions/auth/forgot-password';
import { handler as login } from '../../functions/auth/login';
import { handler as refresh } from '../../functions/auth/refresh';
import { handler as register } from '../../functions/auth/register';
import { handler as resetPassword } from '../../functions/auth/reset-password';
import { handler as stepUp } from '../../functions/auth/step-up';
import { handler as undoEmailChange } from '../../functions/auth/undo-email-change';
import { handler as verifyEmail } from '../../functions/auth/verify-email';
import { handler as listAudit } from '../../functions/events/list-audit';
import { handler as listEvents } from '../../functions/events/list-events';
import { handler as putRole } from '../../functions/roles/put-role';
import { handler as changePassword } from '../../functions/users/change-password';
import { handler as changeRole } from '../../functions/users/change-role';
import { handler as deleteUser } from '../../functions/users/delete-user';
import { handler as getUser } from '../../functions/users/get-user';
import { handler as listUsers } from '../../functions/users/list-users';
import { handler as suspendUser } from '../../functions/users/suspend-user';
import { handler as updateUser } from '../../functions/users/update-user';
import { handler as createWebhook } from '../../functions/webhooks/create-webhook';
import { handler as listWebhookDeliveries } from '../../functions/webhooks/list-webhook-deliveries';
import { handler as listWebhooks } from '../../functions/webhooks/list-webhooks';
import { handler as updateWebhook } from '../../functions/webhooks/update-webhook';
import { type TestContext, testContext } from '../setup/context';
import { call } from '../setup/http';
import { logInAdmin, type Person, registerPerson, registration } from '../setup/people';

let ctx: TestContext;
let admin: Person;
beforeAll(async () => {
  ctx = await testContext();
  admin = await logInAdmin(ctx);
});
afterAll(() => ctx.close());

const change = fc.record(
  {
    displayName: fc.option(fc.constantFrom('A', 'B', 'C')),
    metadata: fc.constantFrom({}, { a: 1 }, { a: 2 }, { deep: [{ a: 1 }] }),
    email: fc.constantFrom('first', 'second').map((name) => ({ name })),
  },
  { requiredKeys: [] },
);
const tag = fc.constantFrom<'none' | 'current' | 'stale' | 'any'>('none', 'current', 'stale', 'any');
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('update' as const), change, tag }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), tag }) },
);

test('any sequence of updates and deletes keeps versions, entity tags and events in step', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      const person = await registerPerson(ctx);
      const { id, username } = person.user;
      let expected: Record<string, unknown> & { version: number } = { ...person.user };
      let deleted = false;
      let changes = 0;
      for (const item of steps) {
        const tags = { none: undefined, current: `"${expected.version}"`, stale: '"99"', any: '*' };
        const ifMatch = tags[item.tag];
        const request = {
          params: { id },
          token: admin.accessToken,
          headers: ifMatch === undefined ? {} : { 'if-match': ifMatch },
        };
        if (item.kind === 'delete') {
          const answer = await call(deleteUser, ctx, { ...request, method: 'DELETE' });
          expect(answer.status).toBe(deleted ? 404 : item.tag === 'stale' ? 412 : 200);
          if (answer.status === 200) expect(answer.body).toEqual(expected);
          deleted ||= answer.status === 200;
          continue;
        }
        const { email, ...rest } = item.change;
        const body = { ...rest, ...(email && { email: `${username}.${email.name}@example.com` }) };
        const answer = await call(updateUser, ctx, { ...request, method: 'PUT', body });
        expect(answer.status).toBe(deleted ? 404 : item.tag === 'stale' ? 412 : 200);
        if (answer.status !== 200) continue;
        const before = JSON.stringify({ ...expected, updatedAt: '' });
        const after = { ...expected, ...body };
        const changed = before !== JSON.stringify({ ...after, updatedAt: '' });
        expected = { ...after, version: expected.version + (changed ? 1 : 0) };
        if (changed) changes += 1;
        expect(answer.body).toEqual({ ...expected, updatedAt: expect.any(String) });
        expect(answer.headers['etag']).toBe(`"${expected.version}"`);
        expected = answer.body;
      }
      const events = await ctx.db
        .selectFrom('events')
        .select(['type', 'sequence'])
        .where('subject', '=', id)
        .orderBy('position')
        .execute();
      const sequences = events.map((event) => event.sequence);
      expect(sequences).toEqual([...new Set(sequences)].sort());
      const count = (type: string) => events.filter((event) => event.type === type).length;
      expect([count('user.created'), count('user.updated'), count('user.deleted')]).toEqual([
        1,
        changes,
        deleted ? 1 : 0,
      ]);
    }),
    { numRuns: 40 },
  );
});

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('\0', '\ud800', '__proto__', "'; --"),
);
const json = fc.oneof(
  fc.json(),
  fc.jsonValue({ stringUnit: 'binary' }).map((value) => JSON.stringify(value)),
  fc.string({ unit: 'binary' }),
  fc.integer({ min: 1, max: 5_000 }).map((depth) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`),
);
/** A body that is right but for one field, which is anything. */
const nearly = (fields: Record<string, unknown>) =>
  fc
    .tuple(
      fc.constantFrom(...Object.keys(fields), 'x'),
      fc.oneof(text, fc.jsonValue({ stringUnit: 'binary' })),
    )
    .map(([field, value]) => JSON.stringify({ ...fields, [field]: value }));

const WEBHOOK = {
  url: 'https://a.example/',
  eventTypes: ['*'],
  description: 'A',
  retryDelaysSeconds: [1],
  enabled: true,
};

type Handle = Parameters<typeof call<TestContext>>[0];
const BODIES: [string, Handle, Record<string, unknown>][] = [
  ['register', register, { ...registration(), displayName: 'A', metadata: {}, role: 'user' }],
  ['login', login, { username: 'gorden', password: 'x' }],
  ['refresh', refresh, { refreshToken: 'x' }],
  ['verify-email', verifyEmail, { token: 'x' }],
  ['reset-password', resetPassword, { token: 'x', password: 'a long password' }],
  ['undo-email-change', undoEmailChange, { token: 'x', password: 'a long password' }],
  ['step-up', stepUp, { password: 'x' }],
  ['forgot-password', forgotPassword, { email: 'a@example.com' }],
  [
    'update-user',
    updateUser,
    {
      username: 'abc',
      email: 'a@example.com',
      pendingEmail: null,
      currentPassword: 'x',
      displayName: 'A',
      metadata: {},
    },
  ],
  ['change-password', changePassword, { currentPassword: 'x', newPassword: 'a long password' }],
  ['change-role', changeRole, { role: 'user' }],
  ['suspend-user', suspendUser, { reason: 'Spam', until: '2999-01-01T00:00:00Z' }],
  ['put-role', putRole, { permissions: ['users:read'] }],
  ['create-webhook', createWebhook, WEBHOOK],
  ['update-webhook', updateWebhook, WEBHOOK],
];

test.each(BODIES)('no body makes %s fail with a 500', async (_name, handle, fields) => {
  const person = await registerPerson(ctx);
  await fc.assert(
    fc.asyncProperty(fc.oneof(json, nearly(fields)), async (body) => {
      const params = { id: person.user.id, name: 'support' };
      const answer = await call(handle, ctx, { method: 'POST', params, body, token: admin.accessToken });
      expect(answer.status).toBeLessThan(500);
      if (answer.status >= 400) expect(answer.body.code).toEqual(expect.any(String));
    }),
    { numRuns: 60 },
  );
});

test.each<[string, Handle, string[]]>([
  ['list-users', listUsers, ['q', 'role', 'suspended', 'limit', 'cursor']],
  ['list-events', listEvents, ['type', 'subject', 'status', 'limit', 'cursor']],
  ['list-webhooks', listWebhooks, ['limit', 'cursor']],
  ['list-webhook-deliveries', listWebhookDeliveries, ['status', 'limit', 'cursor']],
  ['list-audit', listAudit, ['subject', 'actor', 'type', 'from', 'to', 'limit', 'cursor']],
  ['list-registrations', listRegistrations, ['from', 'to', 'interval']],
])('no query, path or header makes %s or get-user fail with a 500', async (_name, handle, names) => {
  const cursor = fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value)).toString('base64url'));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...names), fc.oneof(text, cursor), async (name, value) => {
      const query = { [name]: value };
      const request = {
        query,
        params: { id: value },
        headers: { 'x-request-id': value, 'if-none-match': value },
      };
      for (const one of [handle, getUser]) {
        const answer = await call(one, ctx, { ...request, token: admin.accessToken });
        expect(answer.status).toBeLessThan(500);
        expect(answer.headers['x-request-id']).toMatch(/^[A-Za-z0-9_.:-]{1,128}$/);
      }
    }),
    { numRuns: 60 },
  );
});
