// The five classes of account pre-hijacking (Sudhodanan and Paverd, "Pre-hijacked Accounts", USENIX Security 2022), each
// from the attacker's first step to the attempt that must fail. The attacker registers the victim's address, which stays
// unverified, and prepares a way back. The victim then signs in with a mailed code, and has the account to themselves.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { handler as exchangeCode } from '../../../functions/auth/exchange-code';
import { handler as forgotPassword } from '../../../functions/auth/forgot-password';
import { handler as issueCode } from '../../../functions/auth/issue-code';
import { handler as login } from '../../../functions/auth/login';
import { handler as loginFactor } from '../../../functions/auth/login-factor';
import { handler as refresh } from '../../../functions/auth/refresh';
import { handler as register } from '../../../functions/auth/register';
import { handler as resetPassword } from '../../../functions/auth/reset-password';
import { handler as stepUp } from '../../../functions/auth/step-up';
import { handler as undoEmailChange } from '../../../functions/auth/undo-email-change';
import { handler as verifyEmail } from '../../../functions/auth/verify-email';
import { handler as addTotp } from '../../../functions/factors/add-totp';
import { handler as confirmTotp } from '../../../functions/factors/confirm-totp';
import { handler as listFactors } from '../../../functions/factors/list-factors';
import { handler as changePassword } from '../../../functions/users/change-password';
import { handler as getMe } from '../../../functions/users/get-me';
import { handler as updateUser } from '../../../functions/users/update-user';
import { importUsers } from '../../../shared/user-import/import-users';
import { ORIGIN, SoftwareAuthenticator } from '../../setup/authenticator';
import { untilLockIsAwaited } from '../../setup/database';
import { addAuthenticator, codeOf, recoveryCodes } from '../../setup/factors';
import { call } from '../../setup/http';
import { type MailContext, mailContext } from '../../setup/mail-flow';
import { tokenIn } from '../../setup/mail-server';
import { mailedCode, sendCode } from '../../setup/mailed-codes';
import {
  addOwnPasskey,
  assertionOf,
  creationOptions,
  logInWith,
  type OwnPasskey,
  register as registerPasskey,
} from '../../setup/passkeys';
import { logInAdmin, PASSWORD, type Person, registration } from '../../setup/people';

/** Of the people's usual password, at cost 4. */
const HASH = '$2b$04$KrEscPr7ArC4LHma2aND5e/6gbhM/.NA/fR00FVeJQnHyTgtXnIn.';

const RETURN_TO = 'https://attacker.example.com/signed-in';

let flow: MailContext;
beforeAll(async () => {
  flow = await mailContext({ EMAIL_LOGIN: 'on', RETURN_URLS: RETURN_TO, PUBLIC_URL: ORIGIN });
});
afterAll(() => flow.close());

type Handle = Parameters<typeof call<MailContext['ctx']>>[0];
const post = (
  handle: Handle,
  body: unknown,
  more: { token?: string; headers?: Record<string, string> } = {},
) => call(handle, flow.ctx, { method: 'POST', params: { id: 'me' }, body, ...more });
const put = (handle: Handle, body: unknown, token: string, id = 'me') =>
  call(handle, flow.ctx, { method: 'PUT', params: { id }, body, token });
const outcome = ({ status, body }: { status: number; body: { code?: string } }) => body.code ?? status;

const logInWithPasskey = async (passkey: OwnPasskey) =>
  logInWith(flow.ctx, await assertionOf(flow.ctx, passkey));

interface Attacked {
  attacker: Person;
  email: string;
  /** What was registered, to be sent again. */
  registered: { body: object; headers: Record<string, string> };
}

/** The attacker's first step: an account with the victim's address. */
async function preHijack(): Promise<Attacked> {
  const body = registration();
  const headers = { 'idempotency-key': `key of ${body.username}` };
  const { body: attacker } = await post(register, body, { headers });
  return { attacker, email: body.email, registered: { body, headers } };
}

/** The victim's first step: a login with a mailed code. */
async function victimSignsIn(email: string): Promise<Person> {
  const { emailToken, code } = await mailedCode(flow, email);
  const reply = await sendCode(flow.ctx, emailToken, code);
  expect([reply.status, reply.body.user?.emailVerified]).toEqual([200, true]);
  return reply.body;
}

/** The account answers to the victim, with no second factor in the way, and to nobody else. */
async function expectControl(victim: Person, { attacker, email, registered }: Attacked): Promise<void> {
  const { username } = attacker.user;
  for (const name of [{ username }, { email }])
    expect(outcome(await post(login, { ...name, password: PASSWORD }))).toBe('invalid_credentials');
  expect(outcome(await post(register, registered.body, registered))).toBe('idempotency_key_reused');
  expect(outcome(await call(getMe, flow.ctx, { token: attacker.accessToken }))).toBe('unauthorized');
  expect(outcome(await post(refresh, { refreshToken: attacker.refreshToken }))).toBe('invalid_refresh_token');

  const me = await call(getMe, flow.ctx, { token: victim.accessToken });
  expect(me.body).toMatchObject({
    id: attacker.user.id,
    email,
    emailVerified: true,
    pendingEmail: null,
  });
  const own = { params: { id: 'me' }, token: victim.accessToken };
  expect((await call(listFactors, flow.ctx, own)).body).toEqual({ factors: [], recoveryCodes: 0 });
  await post(forgotPassword, { email });
  const mail = (await flow.deliver()).find(({ text }) => text?.includes('/reset-password?'));
  const password = "the victim's own words";
  expect(outcome(await post(resetPassword, { token: tokenIn(mail), password }))).toBe(200);
  expect(outcome(await post(login, { email, password }))).toBe(200);
  expect(outcome(await post(login, { email, password: PASSWORD }))).toBe('invalid_credentials');
}

test('1. the classic-federated merge: the password of before does not come along', async () => {
  const attacked = await preHijack();
  const { attacker, email } = attacked;
  await flow.deliver();
  const victim = await victimSignsIn(email);
  expect(victim.user).toMatchObject({ id: attacker.user.id, version: 2 });
  const events = await flow.eventsOf(attacker.user.id);
  expect(events.map(({ type, sequence, data }) => [type, sequence, data])).toEqual([
    ['user.created', '0000000001', expect.anything()],
    ['user.login_code_requested', '0000000001.0000000001', expect.anything()],
    ['user.email_verified', '0000000002', { id: attacker.user.id }],
    [
      'user.password_removed',
      expect.stringMatching(/^0000000002\./),
      { id: attacker.user.id, reason: 'set_before_verification' },
    ],
    [
      'session.revoked',
      expect.stringMatching(/^0000000002\./),
      expect.objectContaining({ reason: 'revoked' }),
    ],
    ['session.created', expect.stringMatching(/^0000000002\./), expect.objectContaining({ amr: ['otp'] })],
  ]);
  const sequences = events.map(({ sequence }) => sequence);
  expect(sequences).toEqual([...sequences].sort());
  const mails = await flow.deliver();
  const notice = mails.find(({ subject }) => subject === 'Your password for Rollcall was removed');
  expect(notice?.recipients).toEqual([email]);
  for (const part of [notice?.text, notice?.html]) {
    expect(part).toContain('was set before that, perhaps by someone else');
    expect(part).toContain('To set a new password, request a password reset');
  }
  await expectControl(victim, attacked);
});

test('2. the unexpired session: neither its tokens nor what was begun in it goes on', async () => {
  const attacked = await preHijack();
  const { email } = attacked;
  const second: Person = (await post(login, { email, password: PASSWORD })).body;
  const renewed = (await post(refresh, { refreshToken: second.refreshToken })).body;
  const { body: oneTime } = await post(
    issueCode,
    { refreshToken: renewed.refreshToken, returnTo: RETURN_TO },
    { token: renewed.accessToken, headers: { origin: ORIGIN } },
  );
  expect(oneTime.code).toEqual(expect.any(String));
  const victim = await victimSignsIn(email);
  expect(outcome(await post(exchangeCode, { code: oneTime.code, returnTo: RETURN_TO }))).toBe(
    'invalid_token',
  );
  for (const token of [second.accessToken, renewed.accessToken]) {
    expect(outcome(await call(getMe, flow.ctx, { token }))).toBe('unauthorized');
    expect(outcome(await post(stepUp, { password: PASSWORD }, { token }))).toBe('unauthorized');
    expect(outcome(await put(changePassword, { newPassword: PASSWORD }, token))).toBe('unauthorized');
  }
  for (const { refreshToken } of [second, renewed])
    expect(outcome(await post(refresh, { refreshToken }))).not.toBe(200);
  // The reuse of a token that was used ends no session of the victim.
  await expectControl(victim, attacked);
});

test('3. the trojan identifier: no authenticator app, recovery code or login begun with them is left', async () => {
  const attacked = await preHijack();
  const { attacker, email } = attacked;
  const app = await addAuthenticator(flow.ctx, attacker);
  const [recoveryCode = ''] = await recoveryCodes(flow.ctx, attacker);
  const passkey = await addOwnPasskey(flow.ctx, attacker);
  const half = (await post(login, { email, password: PASSWORD })).body;
  expect(half.code).toBe('second_factor_required');
  const { body: unconfirmed } = await post(addTotp, undefined, { token: attacker.accessToken });
  await flow.deliver();
  const victim = await victimSignsIn(email);
  for (const sent of [
    { type: 'totp', code: app.code() },
    { type: 'recovery_code', code: recoveryCode },
  ])
    expect(outcome(await post(loginFactor, { factorToken: half.factorToken, ...sent }))).toBe(
      'invalid_token',
    );
  expect(outcome(await logInWithPasskey(passkey))).toBe('invalid_assertion');
  const code = codeOf(unconfirmed.secret, flow.ctx.clock.now);
  expect(outcome(await post(confirmTotp, { code }, { token: attacker.accessToken }))).toBe('unauthorized');
  expect(outcome(await post(confirmTotp, { code }, { token: victim.accessToken }))).toBe('not_found');
  const removed = (await flow.eventsOf(attacker.user.id)).filter(({ type }) => type.endsWith('_removed'));
  expect(removed.map(({ data }) => data)).toEqual([
    { id: attacker.user.id, reason: 'set_before_verification' },
    { id: attacker.user.id, factorId: app.factorId, factorType: 'totp' },
    { id: attacker.user.id, passkeyId: passkey.id },
  ]);
  const subjects = (await flow.deliver()).map(({ subject }) => subject);
  expect(subjects).toContain('An authenticator app was removed from your Rollcall account');
  await expectControl(victim, attacked);
});

test('4. the unexpired change of the address: the link in the attacker’s mailbox is void', async () => {
  const attacked = await preHijack();
  const { attacker, email } = attacked;
  await flow.deliver();
  const wanted = `attacker-${email}`;
  const change = { email: wanted, currentPassword: PASSWORD };
  expect(outcome(await put(updateUser, change, attacker.accessToken))).toBe(200);
  const mails = await flow.deliver();
  const token = tokenIn(mails.find(({ recipients }) => recipients.includes(wanted)));
  const victim = await victimSignsIn(email);
  expect(outcome(await post(verifyEmail, { token }))).toBe('invalid_token');
  const [changed] = (await flow.eventsOf(attacker.user.id)).filter(
    ({ type, sequence }) => type === 'user.updated' && sequence === '0000000003',
  );
  expect(changed?.data).toMatchObject({ changes: { pendingEmail: { from: wanted, to: null } } });
  await expectControl(victim, attacked);
});

describe('5. the provider that verifies nothing: here, whoever else says what an address is', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rollcall-pre-hijacking-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function imported(fields: object): Promise<string> {
    const { username, email } = registration();
    const path = join(folder, `${username}.jsonl`);
    await writeFile(path, JSON.stringify({ username, email, passwordHash: HASH, ...fields }));
    const watcher = { resumed: () => {}, problem: () => {}, progress: () => {} };
    expect(await importUsers(flow.ctx, path, watcher)).toMatchObject({ imported: 1 });
    return email;
  }

  test.each([
    [{}, 'invalid_credentials'],
    [{ emailVerified: false }, 'invalid_credentials'],
    [{ emailVerified: true }, 200],
  ])(
    'an imported address is not taken for verified unless the import says so (%j)',
    async (fields, expected) => {
      const email = await imported(fields);
      await victimSignsIn(email);
      expect(outcome(await post(login, { email, password: PASSWORD }))).toBe(expected);
    },
  );

  test.each([
    [{}, 'invalid_credentials'],
    [{ emailVerified: true }, 200],
  ])('nor one that an administrator sets (%j)', async (fields, expected) => {
    const { attacker, email } = await preHijack();
    const admin = await logInAdmin(flow.ctx);
    const set = `set-${email}`;
    const change = { email: set, ...fields };
    expect(outcome(await put(updateUser, change, admin.accessToken, attacker.user.id))).toBe(200);
    await victimSignsIn(set);
    expect(outcome(await post(login, { email: set, password: PASSWORD }))).toBe(expected);
  });
});

describe('what the attacker does at the very moment', () => {
  test('comes too late: a login with the password, a new password, an authenticator app, a passkey', async () => {
    const attacked = await preHijack();
    const { attacker, email } = attacked;
    const { body: unconfirmed } = await post(addTotp, undefined, { token: attacker.accessToken });
    const credential = new SoftwareAuthenticator().register(await creationOptions(flow.ctx, attacker));
    const { emailToken, code } = await mailedCode(flow, email);
    const { signsIn, attempts } = await flow.ctx.db.transaction().execute(async (tx) => {
      await tx.selectFrom('users').select('id').where('id', '=', attacker.user.id).forUpdate().execute();
      const signsIn = sendCode(flow.ctx, emailToken, code);
      await untilLockIsAwaited(flow.ctx);
      const newPassword = 'the password of the attacker';
      const attempts = [
        post(login, { email, password: PASSWORD }),
        put(changePassword, { currentPassword: PASSWORD, newPassword }, attacker.accessToken),
        post(
          confirmTotp,
          { code: codeOf(unconfirmed.secret, flow.ctx.clock.now) },
          { token: attacker.accessToken },
        ),
        registerPasskey(flow.ctx, attacker, credential),
      ];
      await untilLockIsAwaited(flow.ctx, 5);
      return { signsIn, attempts };
    });
    const victim = await signsIn;
    expect(victim.status).toBe(200);
    for (const attempt of await Promise.all(attempts)) expect(outcome(attempt)).not.toBe(200);
    await expectControl(victim.body, attacked);
  });

  test('or has done just before is removed: of fifty right codes at once, one logs in', async () => {
    const { attacker, email } = await preHijack();
    const { emailToken, code } = await mailedCode(flow, email);
    const replies = await Promise.all([
      ...Array.from({ length: 50 }, () => sendCode(flow.ctx, emailToken, code)),
      ...Array.from({ length: 5 }, () => post(login, { email, password: PASSWORD })),
    ]);
    expect(replies.slice(0, 50).filter(({ status }) => status === 200)).toHaveLength(1);
    const attackers = replies.slice(50).filter(({ status }) => status === 200);
    for (const { body } of [...attackers, { body: attacker }])
      expect(outcome(await call(getMe, flow.ctx, { token: body.accessToken }))).toBe('unauthorized');
  });

  test('codes that were mailed for other requests are void with it', async () => {
    const { email } = await preHijack();
    const other = await mailedCode(flow, email);
    await victimSignsIn(email);
    expect(outcome(await sendCode(flow.ctx, other.emailToken, other.code))).toBe('invalid_token');
  });
});

test('a reset of an unverified address removes passkeys, and keeps authenticator apps: it skips no second factor', async () => {
  const { attacker, email } = await preHijack();
  await addAuthenticator(flow.ctx, attacker);
  const passkey = await addOwnPasskey(flow.ctx, attacker);
  await post(forgotPassword, { email });
  const mail = (await flow.deliver()).find(({ text }) => text?.includes('/reset-password?'));
  const password = "the victim's own words";
  expect(outcome(await post(resetPassword, { token: tokenIn(mail), password }))).toBe(200);
  expect(outcome(await post(login, { email, password }))).toBe('second_factor_required');
  expect(outcome(await logInWithPasskey(passkey))).toBe('invalid_assertion');
  const types = (await flow.eventsOf(attacker.user.id)).map(({ type }) => type);
  expect(types).toContain('user.passkey_removed');
});

test('a reset of a verified address keeps passkeys', async () => {
  const { attacker, email } = await preHijack();
  const passkey = await addOwnPasskey(flow.ctx, await victimSignsIn(email));
  await post(forgotPassword, { email });
  const mail = (await flow.deliver()).find(({ text }) => text?.includes('/reset-password?'));
  const password = "the owner's own words";
  expect(outcome(await post(resetPassword, { token: tokenIn(mail), password }))).toBe(200);
  expect((await logInWithPasskey(passkey)).body.user.id).toBe(attacker.user.id);
});

test.each(['requests', 'completes'])(
  'the link that undoes a change which the attacker %s removes the passkeys of the unverified address',
  async (step) => {
    const { attacker, email } = await preHijack();
    const passkey = await addOwnPasskey(flow.ctx, attacker);
    const { accessToken } = (await logInWithPasskey(passkey)).body;
    const wanted = `attacker-${email}`;
    await put(updateUser, { email: wanted, currentPassword: PASSWORD }, accessToken);
    let mails = await flow.deliver();
    if (step === 'completes') {
      const link = mails.find(({ recipients }) => recipients.includes(wanted));
      expect(outcome(await post(verifyEmail, { token: tokenIn(link) }))).toBe(200);
      mails = await flow.deliver();
    }
    const notice = mails.find(
      ({ recipients, text }) => recipients.includes(email) && text?.includes('undo-email-change'),
    );
    const undone = await post(undoEmailChange, {
      token: tokenIn(notice),
      password: 'the words of the victim',
    });
    expect([undone.status, undone.body.user.email]).toEqual([200, email]);
    expect(outcome(await logInWithPasskey(passkey))).toBe('invalid_assertion');
  },
);

test('the link that undoes the change of a verified address keeps passkeys', async () => {
  const { email } = await preHijack();
  const victim = await victimSignsIn(email);
  const passkey = await addOwnPasskey(flow.ctx, victim);
  const { accessToken, user } = (await logInWithPasskey(passkey)).body;
  const wanted = `mistaken-${email}`;
  await put(updateUser, { email: wanted }, accessToken);
  const link = (await flow.deliver()).find(({ recipients }) => recipients.includes(wanted));
  expect(outcome(await post(verifyEmail, { token: tokenIn(link) }))).toBe(200);
  const notice = (await flow.deliver()).find(({ text }) => text?.includes('undo-email-change'));
  const undone = await post(undoEmailChange, { token: tokenIn(notice), password: "the owner's own words" });
  expect(outcome(undone)).toBe(200);
  expect((await logInWithPasskey(passkey)).body.user.id).toBe(user.id);
});
