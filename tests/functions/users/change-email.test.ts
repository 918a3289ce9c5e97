import { handler as forgotPassword } from '../../../functions/auth/forgot-password';
import { handler as register } from '../../../functions/auth/register';
import { handler as resendVerification } from '../../../functions/auth/resend-verification';
import { handler as resetPassword } from '../../../functions/auth/reset-password';
import { handler as undoEmailChange } from '../../../functions/auth/undo-email-change';
import { handler as verifyEmail } from '../../../functions/auth/verify-email';
import { handler as changePassword } from '../../../functions/users/change-password';
import { handler as deleteUser } from '../../../functions/users/delete-user';
import { handler as getMe } from '../../../functions/users/get-me';
import { handler as updateUser } from '../../../functions/users/update-user';
import { eventsOf } from '../../setup/events';
import { call } from '../../setup/http';
import { type MailContext, mailContext } from '../../setup/mail-flow';
import { tokenIn } from '../../setup/mail-server';
import { logInAdmin, PASSWORD, type Person, registerPerson, registration } from '../../setup/people';

const NEW = 'quite another password';
const DAY_MS = 24 * 60 * 60 * 1000;

let flow: MailContext;
beforeEach(async () => {
  flow = await mailContext();
});
afterEach(() => flow.close());

const post = (handle: Parameters<typeof call<MailContext['ctx']>>[0], body: unknown, token?: string) =>
  call(handle, flow.ctx, { method: 'POST', body, ...(token !== undefined && { token }) });
const put = (by: Person, body: unknown, id = 'me') =>
  call(updateUser, flow.ctx, { method: 'PUT', params: { id }, token: by.accessToken, body });
const me = async (by: Person) => (await call(getMe, flow.ctx, { token: by.accessToken })).body;
const verify = (token: string) => post(verifyEmail, { token });
const undo = (token: string, password: string = NEW) => post(undoEmailChange, { token, password });
const later = (ms: number) => {
  flow.ctx.clock.now = new Date(flow.ctx.clock.now.getTime() + ms);
};

/** The mails since the last look, by whom they went to. */
async function delivered() {
  const mails = await flow.deliver();
  return {
    to: (address: string | null) => mails.filter(({ recipients }) => recipients[0] === address),
    recipients: mails.map(({ recipients }) => recipients[0]),
  };
}

/** Somebody with a verified address, whose mails so far are of no interest. */
async function verifiedPerson(fields: Record<string, unknown> = {}): Promise<Person & { email: string }> {
  const person = await registerPerson(flow.ctx, fields);
  const email = person.user.email ?? '';
  const [mail] = (await delivered()).to(email);
  expect((await verify(tokenIn(mail))).status).toBe(200);
  await flow.deliver();
  return { ...person, email };
}

async function request(person: Person, email: string): Promise<{ proof: string; stop: string }> {
  const answer = await put(person, { email, currentPassword: PASSWORD });
  expect([answer.status, answer.body.pendingEmail]).toEqual([200, email]);
  const mails = await delivered();
  return { proof: tokenIn(mails.to(email)[0]), stop: tokenIn(mails.to(answer.body.email)[0]) };
}

describe('a request for another address', () => {
  test('takes the password: a stolen access token is not enough', async () => {
    const person = await verifiedPerson();
    const without = await put(person, { email: 'thief@example.com' });
    expect([without.status, without.body.errors[0].path]).toEqual([422, 'currentPassword']);
    const wrong = await put(person, { email: 'thief@example.com', currentPassword: 'wrong' });
    expect([wrong.status, wrong.body.code]).toEqual([401, 'invalid_credentials']);
    expect(await me(person)).toMatchObject({ email: person.email, emailVerified: true, pendingEmail: null });
    expect((await delivered()).recipients).toEqual([]);
    expect(await eventsOf(flow.ctx, person.user.id)).toEqual(['user.created', 'user.email_verified']);
  });

  test('changes nothing until the new address is proven, and tells the one in use', async () => {
    const person = await verifiedPerson({ displayName: 'Gorden F.' });
    const email = `new-${person.email}`;
    const { body, headers } = await put(person, { email, currentPassword: PASSWORD });
    expect(body).toMatchObject({ email: person.email, emailVerified: true, pendingEmail: email, version: 3 });
    expect(headers['etag']).toBe('"3"');
    const mails = await delivered();
    expect(mails.recipients).toEqual([email, person.email]);
    const [proof] = mails.to(email);
    expect(proof?.subject).toBe('Confirm your email address for Rollcall');
    // Nobody has proven to be the user there.
    expect(proof?.text).not.toContain('Gorden');
    const [notice] = mails.to(person.email);
    expect(notice?.subject).toBe('Your email address for Rollcall is about to change');
    expect(notice?.text).toContain('Gorden F.');
    expect(notice?.text).toContain('https://app.example.com/undo-email-change?token=');
    expect(notice?.text).not.toContain(email);

    const { status, body: proven } = await verify(tokenIn(proof));
    expect([status, proven.user]).toEqual([
      200,
      expect.objectContaining({ email, emailVerified: true, pendingEmail: null, version: 4 }),
    ]);
    expect(await eventsOf(flow.ctx, person.user.id)).toEqual([
      'user.created',
      'user.email_verified',
      'user.updated',
      'user.email_change_requested',
      'user.updated',
      'user.email_changed',
      'user.email_verified',
    ]);
    const after = await delivered();
    expect(after.recipients).toEqual([person.email]);
    expect(after.to(person.email)[0]).toMatchObject({
      subject: 'Your email address for Rollcall was changed',
      text: expect.stringContaining('/undo-email-change?token='),
    });
    expect((await verify(tokenIn(proof))).body.code).toBe('invalid_token');
  });

  test('brings reset mails to the address in use only', async () => {
    const person = await verifiedPerson();
    const email = `new-${person.email}`;
    await request(person, email);
    for (const address of [email, person.email]) await post(forgotPassword, { email: address });
    expect((await delivered()).recipients).toEqual([person.email]);
  });

  test('is given up by null, by a new password and by a reset, and its link with it', async () => {
    for (const [index, giveUp] of [
      (person: Person) => put(person, { pendingEmail: null }),
      (person: Person) =>
        call(changePassword, flow.ctx, {
          method: 'PUT',
          params: { id: 'me' },
          token: person.accessToken,
          body: { currentPassword: PASSWORD, newPassword: NEW },
        }),
      async ({ user }: Person) => {
        await post(forgotPassword, { email: user.email });
        const [mail] = (await delivered()).to(user.email);
        return post(resetPassword, { token: tokenIn(mail), password: NEW });
      },
    ].entries()) {
      const person = await verifiedPerson();
      const { proof, stop } = await request(person, `new${index}-${person.email}`);
      expect((await giveUp(person)).status).toBe(200);
      expect((await verify(proof)).body.code).toBe('invalid_token');
      expect((await undo(stop)).body.code).toBe('invalid_token');
      const row = await flow.ctx.db
        .selectFrom('users')
        .select(['email', 'pending_email'])
        .where('id', '=', person.user.id)
        .executeTakeFirst();
      expect(row).toEqual({ email: person.email, pending_email: null });
    }
  });

  test('leaves the link to the address in use alone, and proving that one leaves its own', async () => {
    const person = await registerPerson(flow.ctx);
    const { email } = person.user;
    const first = tokenIn((await delivered()).to(email)[0]);
    const { proof } = await request(person, `new-${email}`);
    expect((await verify(first)).body.user).toMatchObject({ email, emailVerified: true });
    expect((await verify(proof)).body.user).toMatchObject({ email: `new-${email}`, emailVerified: true });
  });

  test('for yet another address voids the link to the one before, also where that is asked for again', async () => {
    const person = await verifiedPerson();
    const first = await request(person, `first-${person.email}`);
    const second = await request(person, `second-${person.email}`);
    expect((await verify(first.proof)).body.code).toBe('invalid_token');
    const again = await request(person, `first-${person.email}`);
    for (const { proof } of [first, second]) expect((await verify(proof)).body.code).toBe('invalid_token');
    expect((await verify(again.proof)).status).toBe(200);
  });

  test('once more for the same address, or the same in other case, changes nothing; resending sends a new link', async () => {
    const person = await verifiedPerson();
    const email = `new-${person.email}`;
    await request(person, email);
    expect((await put(person, { email: email.toUpperCase() })).body.version).toBe(3);
    expect((await delivered()).recipients).toEqual([]);
    await call(resendVerification, flow.ctx, { method: 'POST', token: person.accessToken });
    const mails = await delivered();
    expect(mails.recipients).toEqual([email]);
    expect((await verify(tokenIn(mails.to(email)[0]))).body.user.email).toBe(email);
  });

  test('leaves a change in case of the address in use, and its link, alone', async () => {
    const person = await registerPerson(flow.ctx);
    const [mail] = await flow.deliver();
    const email = person.user.email?.toUpperCase();
    expect((await put(person, { email })).body).toMatchObject({ email, pendingEmail: null });
    expect((await delivered()).recipients).toEqual([]);
    expect((await verify(tokenIn(mail))).body.user).toMatchObject({ email, emailVerified: true });
  });

  test('of somebody else’s address is refused, at the request and at the proof', async () => {
    const [a, b, c] = [await verifiedPerson(), await verifiedPerson(), await verifiedPerson()];
    const taken = await put(a, { email: b.email.toUpperCase(), currentPassword: PASSWORD });
    expect([taken.status, taken.body.code]).toEqual([409, 'email_taken']);
    const wanted = 'both-want-it@example.com';
    const [first, second] = [await request(a, wanted), await request(b, wanted)];
    expect((await verify(second.proof)).status).toBe(200);
    const late = await verify(first.proof);
    expect([late.status, late.body.code]).toEqual([409, 'email_taken']);
    expect(await me(a)).toMatchObject({ email: a.email, pendingEmail: wanted });
    expect((await put(c, { email: a.email, currentPassword: PASSWORD })).body.code).toBe('email_taken');
  });

  test('of two proofs at once one counts', async () => {
    const people = [await verifiedPerson(), await verifiedPerson()];
    const proofs: string[] = [];
    for (const person of people) proofs.push((await request(person, 'one-of-us@example.com')).proof);
    const answers = await Promise.all(proofs.map(verify));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  test('is limited: guesses of the password as failed logins, and mails per user', async () => {
    const { ctx } = flow;
    const config = { ...ctx.config, rateLimits: { ...ctx.config.rateLimits, enabled: true } };
    const limited = { ...ctx, config };
    const [guesser, mailer] = [await registerPerson(ctx), await registerPerson(ctx)];
    const ask = (person: Person, email: string, currentPassword: string) =>
      call(updateUser, limited, {
        method: 'PUT',
        params: { id: 'me' },
        token: person.accessToken,
        body: { email, currentPassword },
      });
    for (let i = 0; i < 10; i += 1) {
      expect((await ask(guesser, 'x@example.com', `wrong ${i}`)).status).toBe(401);
    }
    const over = await ask(guesser, 'x@example.com', PASSWORD);
    expect([over.status, over.body.code]).toEqual([429, 'rate_limited']);
    for (let i = 0; i < 5; i += 1) {
      expect((await ask(mailer, `m${i}@example.com`, PASSWORD)).status).toBe(200);
    }
    expect((await ask(mailer, 'm5@example.com', PASSWORD)).body.code).toBe('rate_limited');
  });

  test('leaves no trace of the address when the user is deleted', async () => {
    const person = await verifiedPerson();
    const { proof } = await request(person, 'trace-one@example.com');
    await verify(proof);
    await put(person, { email: 'trace-two@example.com', currentPassword: PASSWORD });
    await flow.deliver();
    const removed = await call(deleteUser, flow.ctx, {
      method: 'DELETE',
      params: { id: 'me' },
      token: person.accessToken,
    });
    expect(removed.body.pendingEmail).toBe('trace-two@example.com');
    const stored = [
      await flow.ctx.db.selectFrom('events').selectAll().execute(),
      await flow.ctx.db.selectFrom('email_tokens').selectAll().execute(),
      await flow.ctx.db.selectFrom('former_emails').selectAll().execute(),
      await flow.ctx.db.selectFrom('users').selectAll().execute(),
    ];
    expect(JSON.stringify(stored)).not.toMatch(/trace-|user_[0-9a-f]{10}/);
    expect(await flow.deliver()).toEqual([]);
  });
});

describe('the link in the notice', () => {
  test('stops the change before the proof: a new password, no sessions, and a link that proves nothing', async () => {
    const person = await verifiedPerson();
    const { proof, stop } = await request(person, 'thief@example.com');
    const { status, headers, body } = await undo(stop);
    expect([status, headers['etag'], headers['cache-control']]).toEqual([200, '"4"', 'no-store']);
    expect(body.user).toMatchObject({ email: person.email, emailVerified: true, pendingEmail: null });
    expect((await verify(proof)).body.code).toBe('invalid_token');
    expect((await me(person)).code).toBe('unauthorized');
    expect((await undo(stop)).body.code).toBe('invalid_token');
    const mails = await delivered();
    expect(mails.recipients).toEqual([person.email]);
    expect(mails.to(person.email)[0]?.subject).toBe('Your password for Rollcall was changed');
  });

  test.each(['the request', 'the change'])(
    'of %s takes the address back after the proof, and voids what the thief could still use',
    async (which) => {
      const person = await verifiedPerson();
      const { proof, stop } = await request(person, 'thief@example.com');
      await verify(proof);
      const [changed] = (await delivered()).to(person.email);
      await post(forgotPassword, { email: 'thief@example.com' });
      const reset = tokenIn((await delivered()).to('thief@example.com')[0]);
      const { body: later2 } = await put(person, { email: 'thief2@example.com', currentPassword: PASSWORD });
      expect(later2.pendingEmail).toBe('thief2@example.com');
      const thiefs = await delivered();

      const { status, body } = await undo(which === 'the request' ? stop : tokenIn(changed));
      expect([status, body.user.email, body.user.emailVerified]).toEqual([200, person.email, true]);
      expect(body.user.pendingEmail).toBeNull();
      expect((await me(person)).code).toBe('unauthorized');
      expect((await verify(tokenIn(thiefs.to('thief2@example.com')[0]))).body.code).toBe('invalid_token');
      expect((await post(resetPassword, { token: reset, password: NEW })).body.code).toBe('invalid_token');
      expect((await undo(tokenIn(thiefs.to('thief@example.com')[0]))).body.code).toBe('invalid_token');
      await post(forgotPassword, { email: 'thief@example.com' });
      const notices = await delivered();
      expect(notices.to('thief@example.com')).toMatchObject([
        {
          subject: 'Your email address for Rollcall was changed',
          text: expect.not.stringContaining('token='),
        },
      ]);
      expect(notices.to(person.email)).toMatchObject([{ subject: 'Your password for Rollcall was changed' }]);
    },
  );

  test('of an earlier address outlives a thief who changes the address twice and undoes the second change', async () => {
    const person = await verifiedPerson();
    const first = await request(person, 'thief1@example.com');
    await verify(first.proof);
    await flow.deliver();
    const second = await request(person, 'thief2@example.com');
    await verify(second.proof);
    expect((await undo(second.stop, 'the thief knows this')).body.user.email).toBe('thief1@example.com');
    expect((await undo(first.stop)).body.user.email).toBe(person.email);
  });

  test('of the owner wins over one that the thief has', async () => {
    const person = await verifiedPerson();
    const first = await request(person, 'thief1@example.com');
    await verify(first.proof);
    await flow.deliver();
    const second = await request(person, 'thief2@example.com');
    await verify(second.proof);
    expect((await undo(first.stop)).body.user.email).toBe(person.email);
    expect((await undo(second.stop)).body.code).toBe('invalid_token');
  });

  test('works for a week; meanwhile nobody else can have the address', async () => {
    const person = await verifiedPerson();
    const other = await verifiedPerson();
    await verify((await request(person, 'thief@example.com')).proof);
    const [mail] = (await delivered()).to(person.email);
    const again = registration({ email: person.email.toUpperCase() });
    expect((await post(register, again)).body.code).toBe('email_taken');
    const wanted = await put(other, { email: person.email, currentPassword: PASSWORD });
    expect(wanted.body.code).toBe('email_taken');
    later(7 * DAY_MS - 1);
    expect((await post(register, again)).body.code).toBe('email_taken');
    later(1);
    expect((await undo(tokenIn(mail))).body.code).toBe('invalid_token');
    expect((await post(register, again)).status).toBe(201);
  });

  test('keeps its good for another try where the password is refused', async () => {
    const person = await verifiedPerson();
    const { stop } = await request(person, 'thief@example.com');
    for (const password of ['short', person.email, person.user.username]) {
      expect((await undo(stop, password)).body.errors[0].path).toBe('password');
    }
    expect((await undo(stop)).status).toBe(200);
  });

  test('of two at once one counts, and a wrong token is none', async () => {
    const person = await verifiedPerson();
    const { stop } = await request(person, 'thief@example.com');
    const answers = await Promise.all([undo(stop), undo(stop), undo(stop)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400]);
    for (const token of ['', 'x'.repeat(43)]) expect((await undo(token)).body.code).toBe('invalid_token');
  });

  test('is none in the notice of an administrator’s change, which voids the earlier ones', async () => {
    const admin = await logInAdmin(flow.ctx);
    const person = await verifiedPerson();
    const { proof, stop } = await request(person, 'thief@example.com');
    await verify(proof);
    await flow.deliver();
    const { body } = await put(admin, { email: 'owner@example.com' }, person.user.id);
    expect(body).toMatchObject({ email: 'owner@example.com', emailVerified: false, pendingEmail: null });
    const mails = await delivered();
    expect(mails.to('owner@example.com')[0]?.subject).toBe('Confirm your email address for Rollcall');
    expect(mails.to('thief@example.com')[0]?.text).not.toContain('token=');
    expect((await undo(stop)).body.code).toBe('invalid_token');
  });

  test('goes to an address that is not verified, too', async () => {
    const person = await registerPerson(flow.ctx, { displayName: 'Any Text' });
    await flow.deliver();
    const { stop, proof } = await request(person, 'thief@example.com');
    await verify(proof);
    expect((await delivered()).to(person.user.email)[0]?.text).not.toContain('Any Text');
    expect((await undo(stop)).body.user).toMatchObject({ email: person.user.email, emailVerified: true });
  });
});

describe('where an address is optional', () => {
  test('to have none takes the password, counts at once and can be undone', async () => {
    const { ctx } = flow;
    const config = { ...ctx.config, users: { ...ctx.config.users, requireEmail: false } };
    const person = await verifiedPerson();
    const drop = (body: unknown) =>
      call(
        updateUser,
        { ...ctx, config },
        {
          method: 'PUT',
          params: { id: 'me' },
          token: person.accessToken,
          body,
        },
      );
    expect((await drop({ email: null })).body.errors[0].path).toBe('currentPassword');
    expect((await drop({ email: null, currentPassword: PASSWORD })).body.email).toBeNull();
    const [mail] = (await delivered()).to(person.email);
    expect((await undo(tokenIn(mail))).body.user.email).toBe(person.email);
  });
});
