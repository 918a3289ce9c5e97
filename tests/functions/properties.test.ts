// What holds for any input and any sequence of changes, on the real database.
import fc from 'fast-check';
import { listRegistrations } from '../../functions/analytics/list-registrations';
import { forgotPassword } from '../../functions/auth/forgot-password';
import { login } from '../../functions/auth/login';
import { refresh } from '../../functions/auth/refresh';
import { register } from '../../functions/auth/register';
import { resetForgottenPassword } from '../../functions/auth/reset-password';
import { stepUpSession } from '../../functions/auth/step-up';
import { undoChangeOfEmail } from '../../functions/auth/undo-email-change';
import { verifyEmailAddress } from '../../functions/auth/verify-email';
import { listAudit } from '../../functions/events/list-audit';
import { listEventLog } from '../../functions/events/list-events';
import { putRoleByName } from '../../functions/roles/put-role';
import { changeUserPassword } from '../../functions/users/change-password';
import { changeUserRole } from '../../functions/users/change-role';
import { deleteUserById } from '../../functions/users/delete-user';
import { getUserById } from '../../functions/users/get-user';
import { listAllUsers } from '../../functions/users/list-users';
import { updateUserById } from '../../functions/users/update-user';
import { createNewWebhook } from '../../functions/webhooks/create-webhook';
import { listWebhookDeliveries } from '../../functions/webhooks/list-webhook-deliveries';
import { listAllWebhooks } from '../../functions/webhooks/list-webhooks';
import { updateWebhookById } from '../../functions/webhooks/update-webhook';
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
          const answer = await call(deleteUserById, ctx, { ...request, method: 'DELETE' });
          expect(answer.status).toBe(deleted ? 404 : item.tag === 'stale' ? 412 : 200);
          if (answer.status === 200) expect(answer.body).toEqual(expected);
          deleted ||= answer.status === 200;
          continue;
        }
        const { email, ...rest } = item.change;
        const body = { ...rest, ...(email && { email: `${username}.${email.name}@example.com` }) };
        const answer = await call(updateUserById, ctx, { ...request, method: 'PUT', body });
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
        .selectFrom('outbox')
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
  ['verify-email', verifyEmailAddress, { token: 'x' }],
  ['reset-password', resetForgottenPassword, { token: 'x', password: 'a long password' }],
  ['undo-email-change', undoChangeOfEmail, { token: 'x', password: 'a long password' }],
  ['step-up', stepUpSession, { password: 'x' }],
  ['forgot-password', forgotPassword, { email: 'a@example.com' }],
  [
    'update-user',
    updateUserById,
    {
      username: 'abc',
      email: 'a@example.com',
      pendingEmail: null,
      currentPassword: 'x',
      displayName: 'A',
      metadata: {},
    },
  ],
  ['change-password', changeUserPassword, { currentPassword: 'x', newPassword: 'a long password' }],
  ['change-role', changeUserRole, { role: 'user' }],
  ['put-role', putRoleByName, { permissions: ['users:read'] }],
  ['create-webhook', createNewWebhook, WEBHOOK],
  ['update-webhook', updateWebhookById, WEBHOOK],
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
  ['list-users', listAllUsers, ['q', 'role', 'limit', 'cursor']],
  ['list-events', listEventLog, ['type', 'subject', 'status', 'limit', 'cursor']],
  ['list-webhooks', listAllWebhooks, ['limit', 'cursor']],
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
      for (const one of [handle, getUserById]) {
        const answer = await call(one, ctx, { ...request, token: admin.accessToken });
        expect(answer.status).toBeLessThan(500);
        expect(answer.headers['x-request-id']).toMatch(/^[A-Za-z0-9_.:-]{1,128}$/);
      }
    }),
    { numRuns: 60 },
  );
});
