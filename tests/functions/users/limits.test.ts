// What users may do to themselves, and to strangers' mailboxes by way of that.
import { handler as forgotPassword } from '../../../functions/auth/forgot-password';
import { handler as register } from '../../../functions/auth/register';
import { handler as resendVerification } from '../../../functions/auth/resend-verification';
import { handler as changePassword } from '../../../functions/users/change-password';
import { handler as deleteUser } from '../../../functions/users/delete-user';
import { handler as updateUser } from '../../../functions/users/update-user';
import { hashPassword } from '../../../shared/passwords/hash';
import { findPassword, replaceHash } from '../../../shared/passwords/password-store';
import { untilLockIsAwaited } from '../../setup/database';
import { call } from '../../setup/http';
import { type MailContext, mailContext } from '../../setup/mail-flow';
import { logInAdmin, PASSWORD, type Person, registerPerson, registration } from '../../setup/people';

let flow: MailContext;
beforeAll(async () => {
  flow = await mailContext({
    RATE_LIMITS: 'on',
    RATE_LIMIT_MAIL_ACCOUNT: '3/3600',
    RATE_LIMIT_UPDATE_ACCOUNT: '6/3600',
    RATE_LIMIT_NAME_ACCOUNT: '4/3600',
  });
});
beforeEach(() => flow.ctx.db.deleteFrom('rate_limits').execute());
afterAll(() => flow.close());

const put = (by: Person, body: object, id = 'me', address = '192.0.2.1') =>
  call(updateUser, flow.ctx, { method: 'PUT', params: { id }, token: by.accessToken, body, address });
const email = (by: Person, address: string) => put(by, { email: address, currentPassword: PASSWORD });
const resend = (by: Person) => call(resendVerification, flow.ctx, { method: 'POST', token: by.accessToken });
const forgot = (address: string) =>
  call(forgotPassword, flow.ctx, { method: 'POST', body: { email: address } });
const remove = (by: Person) =>
  call(deleteUser, flow.ctx, { method: 'DELETE', params: { id: 'me' }, token: by.accessToken });
const mailsTo = async (address: string) =>
  (await flow.deliver()).filter(({ recipients }) => recipients.includes(address)).length;
async function statuses(
  count: number,
  ask: (index: number) => Promise<{ status: number }>,
): Promise<number[]> {
  const seen: number[] = [];
  for (let index = 0; index < count; index += 1) seen.push((await ask(index)).status);
  return seen;
}

test('a change that has to be tried again, because a login upgraded the hash meanwhile, counts once', async () => {
  const { ctx } = flow;
  const person = await registerPerson(ctx);
  const { id } = person.user;
  const { hash } = (await findPassword(ctx.db, id)) ?? { hash: '' };
  const upgraded = await hashPassword(PASSWORD, { algorithm: 'bcrypt', bcryptCost: 5 });
  const { changing } = await ctx.db.transaction().execute(async (tx) => {
    expect(await replaceHash(tx, id, hash, upgraded.hash)).toBe(true);
    const changing = email(person, registration().email);
    await untilLockIsAwaited(ctx);
    return { changing };
  });
  expect((await changing).status).toBe(200);
  expect(await statuses(6, (index) => put(person, { displayName: `name ${index}` }))).toEqual([
    200, 200, 200, 200, 200, 429,
  ]);
});

describe('mails', () => {
  test('to one mailbox are limited together, whoever asks by whatever route', async () => {
    const stranger = registration().email;
    const people = await Promise.all(Array.from({ length: 5 }, () => registerPerson(flow.ctx)));
    await flow.deliver();
    const asked: number[] = [];
    for (const person of people) asked.push((await email(person, stranger)).status);
    expect(asked).toEqual([200, 200, 200, 429, 429]);
    expect(await mailsTo(stranger)).toBe(3);
    const [again] = people;
    if (again) expect(await statuses(2, () => resend(again))).toEqual([429, 429]);
    expect(await mailsTo(stranger)).toBe(0);
  });

  test('caused by one user are limited, whomever they go to', async () => {
    const person = await registerPerson(flow.ctx);
    const seen = await statuses(4, (i) => email(person, `${i}.${registration().email}`));
    expect(seen).toEqual([200, 200, 200, 429]);
  });

  test('that tell of changes are limited to an address that nobody has proven, and all sent to a proven one', async () => {
    const { ctx } = flow;
    const mailsOfChanges = async (isProven: boolean) => {
      let person = await registerPerson(ctx);
      const { id, email: address } = person.user;
      await ctx.db.updateTable('users').set({ email_verified: isProven }).where('id', '=', id).execute();
      let currentPassword = PASSWORD;
      for (let i = 0; i < 5; i += 1) {
        const newPassword = `a password of round ${i}`;
        const body = { currentPassword, newPassword };
        const { accessToken: token } = person;
        const reply = await call(changePassword, ctx, { method: 'PUT', params: { id: 'me' }, token, body });
        expect(reply.status).toBe(200);
        person = { ...person, ...reply.body };
        currentPassword = newPassword;
      }
      await put(person, { email: registration().email, currentPassword });
      return mailsTo(String(address));
    };
    expect(await mailsOfChanges(false)).toBe(3);
    // No verification mail, but all notices.
    expect(await mailsOfChanges(true)).toBe(6);
  });

  test('do not grow by registering, deleting and registering again', async () => {
    const stranger = registration().email;
    const made: number[] = [];
    for (let i = 0; i < 5; i += 1) {
      const answer = await call(register, flow.ctx, {
        method: 'POST',
        body: registration({ email: stranger }),
      });
      made.push(answer.status);
      await flow.deliver();
      if (answer.status === 201) await remove(answer.body);
    }
    expect(made).toEqual([201, 201, 201, 429, 429]);
    expect(flow.server.mails.filter(({ recipients }) => recipients.includes(stranger))).toHaveLength(3);
  });

  test('to reset a password stop, too, and the answer does not tell', async () => {
    const { user, ...tokens } = await registerPerson(flow.ctx);
    await statuses(2, () => resend({ user, ...tokens }));
    await flow.deliver();
    expect(await statuses(4, () => forgot(String(user.email)))).toEqual([202, 202, 202, 429]);
    expect(await mailsTo(String(user.email))).toBe(0);
    expect(await statuses(4, () => forgot('nobody@example.com'))).toEqual([202, 202, 202, 429]);
    // What was asked for while nobody had the address keeps nobody from registering with it.
    await registerPerson(flow.ctx, { email: 'nobody@example.com' });
  });

  test('of a registration that is refused are not counted', async () => {
    const { user } = await registerPerson(flow.ctx);
    const taken = () =>
      call(register, flow.ctx, { method: 'POST', body: registration({ email: user.email }) });
    expect(await statuses(5, taken)).toEqual(Array(5).fill(409));
    await forgot(String(user.email));
    expect(await mailsTo(String(user.email))).toBeGreaterThan(1);
  });
});

describe('changes', () => {
  test('of names are limited per user, also those that fail because somebody has the name', async () => {
    const [person, other] = [await registerPerson(flow.ctx), await registerPerson(flow.ctx)];
    const seen = await statuses(6, () => put(person, { username: other.user.username }));
    expect(seen).toEqual([409, 409, 409, 409, 429, 429]);
    expect((await put(person, { displayName: 'G.' })).status).toBe(200);
    expect((await put(person, { username: person.user.username.toUpperCase() })).status).toBe(200);
  });

  test('of names count per client address, together with registrations', async () => {
    const few = await mailContext({ RATE_LIMITS: 'on', RATE_LIMIT_REGISTER_ADDRESS: '3/3600' });
    const person = await registerPerson(few.ctx);
    const probe = () =>
      call(updateUser, few.ctx, {
        method: 'PUT',
        params: { id: 'me' },
        token: person.accessToken,
        body: { username: registration().username },
      });
    expect(await statuses(3, probe)).toEqual([200, 200, 429]);
    await few.close();
  });

  test('are limited, because each is an event with what was before and after; the same again is none', async () => {
    const person = await registerPerson(flow.ctx);
    const metadata = (i: number) => put(person, { metadata: { text: `${i}`.padEnd(4_000, 'x') } });
    expect(await statuses(3, () => metadata(1))).toEqual([200, 200, 200]);
    expect(await statuses(6, (i) => metadata(i + 2))).toEqual([200, 200, 200, 200, 200, 429]);
    const changed = { currentPassword: PASSWORD, newPassword: 'quite another password' };
    const password = { method: 'PUT', params: { id: 'me' }, token: person.accessToken, body: changed };
    expect((await call(changePassword, flow.ctx, password)).status).toBe(429);
  });

  test('are not limited for those who may change every user', async () => {
    const [admin, person] = [await logInAdmin(flow.ctx), await registerPerson(flow.ctx)];
    const change = (id: string) => (i: number) =>
      put(admin, { displayName: `${i}`, username: registration().username }, id);
    expect(await statuses(8, change(person.user.id))).toEqual(Array(8).fill(200));
  });
});
