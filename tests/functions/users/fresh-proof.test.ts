// A stolen access token alone takes no account away: what is dangerous needs a recent proof of who the caller is.
import { handler as login } from '../../../functions/auth/login';
import { handler as register } from '../../../functions/auth/register';
import { handler as stepUp } from '../../../functions/auth/step-up';
import { handler as eraseUser } from '../../../functions/erasures/erase-user';
import { handler as addTotp } from '../../../functions/factors/add-totp';
import { handler as confirmTotp } from '../../../functions/factors/confirm-totp';
import { handler as createRecoveryCodes } from '../../../functions/factors/create-recovery-codes';
import { handler as removeFactor } from '../../../functions/factors/remove-factor';
import { handler as putRole } from '../../../functions/roles/put-role';
import { handler as changePassword } from '../../../functions/users/change-password';
import { handler as changeRole } from '../../../functions/users/change-role';
import { handler as deleteUser } from '../../../functions/users/delete-user';
import { handler as removePassword } from '../../../functions/users/remove-password';
import { handler as restoreUser } from '../../../functions/users/restore-user';
import { handler as revokeSessions } from '../../../functions/users/revoke-sessions';
import { handler as suspendUser } from '../../../functions/users/suspend-user';
import { handler as updateUser } from '../../../functions/users/update-user';
import { type TestContext, testContext } from '../../setup/context';
import { eventsOf } from '../../setup/events';
import { addAuthenticator, later } from '../../setup/factors';
import { call } from '../../setup/http';
import { logInAdmin, PASSWORD, type Person, registerPerson, registration } from '../../setup/people';

let ctx: TestContext;
let admin: Person;
beforeAll(async () => {
  ctx = await testContext();
});
// The clock moves on by more than an access token lasts.
beforeEach(async () => {
  admin = await logInAdmin(ctx);
});
afterAll(() => ctx.close());

type Dangerous = [
  what: string,
  endpoint: Parameters<typeof call<TestContext>>[0],
  method: string,
  params: Record<string, string>,
  body: object | undefined,
];
const ID = '0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b';
const me = { id: 'me' };

const OWN: Dangerous[] = [
  ['the username', updateUser, 'PUT', me, { username: 'a-thief' }],
  ['to delete oneself', deleteUser, 'DELETE', me, undefined],
  ['to end all sessions', revokeSessions, 'DELETE', me, undefined],
  ['to add an authenticator app', addTotp, 'POST', me, undefined],
  ['to confirm one', confirmTotp, 'POST', me, { code: '000000' }],
  ['to remove one', removeFactor, 'DELETE', { ...me, factorId: ID }, undefined],
  ['recovery codes', createRecoveryCodes, 'POST', me, undefined],
  ['to remove the password', removePassword, 'DELETE', me, undefined],
];

const OTHERS: Dangerous[] = [
  ["another user's address", updateUser, 'PUT', {}, { email: 'thief@example.com' }],
  ["that another user's address is verified", updateUser, 'PUT', {}, { emailVerified: true }],
  ["another user's password", changePassword, 'PUT', {}, { newPassword: 'the password of a thief' }],
  ["another user's factor", removeFactor, 'DELETE', { factorId: ID }, undefined],
  ["another user's role", changeRole, 'PUT', {}, { role: 'admin' }],
  ['to erase another user everywhere', eraseUser, 'POST', {}, undefined],
  ['to suspend another user', suspendUser, 'PUT', {}, {}],
  ['to restore another user', restoreUser, 'DELETE', {}, undefined],
  ['what a role may do', putRole, 'PUT', { name: 'helpers' }, { permissions: ['users:read'] }],
];

const refusal = (maxAge: number) =>
  `Bearer error="insufficient_user_authentication", error_description="A more recent authentication is required", max_age="${maxAge}"`;

test.each(OWN)('%s', async (_, endpoint, method, params, body) => {
  const { user, accessToken: token } = await registerPerson(ctx);
  later(ctx, 600);
  const reply = await call(endpoint, ctx, { method, params, body, token });
  expect([reply.status, reply.body.code]).toEqual([401, 'reauthentication_required']);
  expect(reply.headers['www-authenticate']).toBe(refusal(600));
  expect(await eventsOf(ctx, user.id)).toEqual(['user.created']);
  const proven = await call(stepUp, ctx, { method: 'POST', token, body: { password: PASSWORD } });
  const again = await call(endpoint, ctx, { method, params, body, token: proven.body.accessToken });
  expect(again.body?.code).not.toBe('reauthentication_required');
});

test.each(OTHERS)('%s', async (_, endpoint, method, params, body) => {
  const { user } = await registerPerson(ctx);
  const { accessToken: token } = admin;
  later(ctx, 600);
  const input = { method, params: { id: user.id, ...params }, body };
  const reply = await call(endpoint, ctx, { ...input, token });
  expect([reply.status, reply.body.code]).toEqual([401, 'reauthentication_required']);
  expect(await eventsOf(ctx, user.id)).toEqual(['user.created']);
  const proven = await call(stepUp, ctx, { method: 'POST', token, body: { password: PASSWORD } });
  const again = await call(endpoint, ctx, { ...input, token: proven.body.accessToken });
  expect(again.body?.code).not.toBe('reauthentication_required');
});

test('a role at a registration', async () => {
  later(ctx, 600);
  const token = admin.accessToken;
  const create = (fields: object) =>
    call(register, ctx, { method: 'POST', token, body: registration({ ...fields }) });
  const refused = await create({ role: 'admin' });
  expect([refused.status, refused.body.code]).toEqual([401, 'reauthentication_required']);
  // What anybody may do takes none.
  expect((await create({})).status).toBe(201);
});

test('with a second factor, the address and the password take a proof of it beside the password', async () => {
  const person = await registerPerson(ctx);
  const { code } = await addAuthenticator(ctx, person);
  later(ctx, 600);
  const { accessToken: token } = person;
  const change = { currentPassword: PASSWORD, newPassword: 'quite another password' };
  const email = { currentPassword: PASSWORD, email: registration().email };
  const input = { method: 'PUT', params: me };
  for (const reply of [
    await call(changePassword, ctx, { ...input, token, body: change }),
    await call(updateUser, ctx, { ...input, token, body: email }),
  ]) {
    expect([reply.status, reply.body.code]).toEqual([401, 'reauthentication_required']);
  }
  expect(await eventsOf(ctx, person.user.id)).toEqual(['user.created', 'user.factor_added']);
  const proven = await call(stepUp, ctx, { method: 'POST', token, body: { code: code() } });
  const fresh = proven.body.accessToken;
  expect((await call(updateUser, ctx, { ...input, token: fresh, body: email })).status).toBe(200);
  expect((await call(changePassword, ctx, { ...input, token: fresh, body: change })).status).toBe(200);
});

test('says what level the proof has to have, if the session has proven one factor of two', async () => {
  const person = await registerPerson(ctx);
  const other = await call(login, ctx, {
    method: 'POST',
    body: { username: person.user.username, password: PASSWORD },
  });
  await addAuthenticator(ctx, person);
  const reply = await call(addTotp, ctx, { method: 'POST', params: me, token: other.body.accessToken });
  expect(reply.headers['www-authenticate']).toBe(`${refusal(600)}, acr_values="aal2"`);
});
