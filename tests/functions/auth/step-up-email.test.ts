// POST /step-up with a mailed code in the place of the password.
import { handler as stepUp } from '../../../functions/auth/step-up';
import { handler as deleteUser } from '../../../functions/users/delete-user';
import { addAuthenticator, later } from '../../setup/factors';
import { call } from '../../setup/http';
import { type MailContext, mailContext } from '../../setup/mail-flow';
import { mailedCode, otherThan, sendCode, verifiedPerson } from '../../setup/mailed-codes';
import { PASSWORD } from '../../setup/people';

let flow: MailContext;
beforeAll(async () => {
  flow = await mailContext({ EMAIL_LOGIN: 'on', REAUTH_SECONDS: '60' });
});
afterAll(() => flow.close());

const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
const send = (token: string, body: unknown, at = flow.ctx) =>
  call(stepUp, at, { method: 'POST', token, body });
const outcome = ({ status, body }: { status: number; body: { code?: string } }) => body.code ?? status;

async function withoutPassword(at = flow) {
  const person = await verifiedPerson(at.ctx);
  await at.ctx.db.deleteFrom('passwords').where('user_id', '=', person.user.id).execute();
  return person;
}
async function mailed(email: string, at = flow) {
  const { emailToken, code } = await mailedCode(at, email);
  return { emailToken, emailCode: code };
}

test('of a user without a password, a mailed code renews the proof, once', async () => {
  const person = await withoutPassword();
  later(flow.ctx, 300);
  const remove = (token: string) =>
    call(deleteUser, flow.ctx, { method: 'DELETE', params: { id: 'me' }, token });
  expect(outcome(await remove(person.accessToken))).toBe('reauthentication_required');
  expect(outcome(await send(person.accessToken, { password: PASSWORD }))).toBe('invalid_credentials');
  const proof = await mailed(person.email);
  const wrong = { ...proof, emailCode: otherThan(proof.emailCode) };
  expect(outcome(await send(person.accessToken, wrong))).toBe('invalid_code');
  const { status, body } = await send(person.accessToken, proof);
  const [before, after] = [claimsOf(person.accessToken), claimsOf(body.accessToken)];
  expect([status, after.sid, after.auth_time - before.auth_time, after.amr, after.acr]).toEqual([
    200,
    before.sid,
    300,
    ['otp'],
    'aal1',
  ]);
  expect(outcome(await send(person.accessToken, proof))).toBe('invalid_token');
  const types = (await flow.eventsOf(person.user.id)).map(({ type }) => type);
  expect(types).toEqual(['user.created', 'user.login_code_requested', 'session.elevated']);
  expect(outcome(await remove(body.accessToken))).toBe(200);
});

test('of fifty at once with one code, one is renewed', async () => {
  const { email, accessToken } = await withoutPassword();
  const proof = await mailed(email);
  const replies = await Promise.all(Array.from({ length: 50 }, () => send(accessToken, proof)));
  expect(replies.map(outcome).sort()).toEqual([200, ...Array(49).fill('invalid_token')]);
});

test('the code of another user is none, is not used up by it, and gives no further guesses at it', async () => {
  const [mine, theirs] = [await withoutPassword(), await withoutPassword()];
  const proof = await mailed(theirs.email);
  for (let index = 0; index < 3; index++)
    expect(outcome(await send(mine.accessToken, proof))).toBe('invalid_token');
  expect(outcome(await send(mine.accessToken, { emailToken: 'x', emailCode: '123456' }))).toBe(
    'invalid_token',
  );
  expect(outcome(await sendCode(flow.ctx, proof.emailToken, proof.emailCode))).toBe(200);
});

test('with a second factor, the first one is not enough, and with both the session has proven several', async () => {
  const person = await withoutPassword();
  const app = await addAuthenticator(flow.ctx, person);
  const proof = await mailed(person.email);
  expect(outcome(await send(person.accessToken, proof))).toBe('second_factor_required');
  expect(outcome(await send(person.accessToken, { ...proof, code: '000000' }))).toBe('invalid_code');
  const { status, body } = await send(person.accessToken, { ...proof, code: app.code() });
  expect([status, claimsOf(body.accessToken).amr, claimsOf(body.accessToken).acr]).toEqual([
    200,
    ['otp', 'mfa'],
    'aal2',
  ]);
});

test('wrong codes in a session are limited', async () => {
  const limited = await mailContext({
    EMAIL_LOGIN: 'on',
    RATE_LIMITS: 'on',
    RATE_LIMIT_LOGIN_ACCOUNT: '3/900',
  });
  const { email, accessToken } = await withoutPassword(limited);
  const outcomes = [];
  for (let index = 0; index < 2; index++) {
    const { emailToken, emailCode } = await mailed(email, limited);
    for (const by of [1, 2])
      outcomes.push(
        outcome(await send(accessToken, { emailToken, emailCode: otherThan(emailCode, by) }, limited.ctx)),
      );
  }
  expect(outcomes).toEqual([...Array(3).fill('invalid_code'), 'rate_limited']);
  await limited.close();
});

test.each([
  {},
  { emailToken: 'x' },
  { emailCode: '123456' },
  { emailToken: 'x', emailCode: '123456', password: PASSWORD },
  { emailToken: 'x', code: '123456' },
  { emailToken: '', emailCode: '' },
])('a body that is not valid is refused (%#)', async (body) => {
  const { accessToken } = await withoutPassword();
  expect(outcome(await send(accessToken, body))).toBe('invalid_request');
});
