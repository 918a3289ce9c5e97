import { sql } from 'kysely';
import { handler as login } from '../../../functions/auth/login';
import { handler as loginEmail } from '../../../functions/auth/login-email';
import { handler as loginFactor } from '../../../functions/auth/login-factor';
import { handler as verifyLoginEmail } from '../../../functions/auth/verify-login-email';
import { emails } from '../../../functions/consumers/emails';
import { handler as changePassword } from '../../../functions/users/change-password';
import { handler as deleteUser } from '../../../functions/users/delete-user';
import { handler as getMe } from '../../../functions/users/get-me';
import { handler as updateUser } from '../../../functions/users/update-user';
import { sendLoginCode } from '../../../shared/emails/send-login-code';
import type { UserEvent } from '../../../shared/events/catalog';
import { purgeEvents } from '../../../shared/ops/purge';
import { consume } from '../../setup/consume';
import { untilLockIsAwaited } from '../../setup/database';
import { addAuthenticator, later } from '../../setup/factors';
import { call } from '../../setup/http';
import { type MailContext, mailContext, readEvents } from '../../setup/mail-flow';
import { codeIn } from '../../setup/mail-server';
import {
  askForCode,
  isCodeMail,
  mailedCode,
  otherThan,
  sendCode,
  verifiedPerson,
} from '../../setup/mailed-codes';
import { logInAdmin, PASSWORD, registerPerson } from '../../setup/people';

let flow: MailContext;
beforeAll(async () => {
  flow = await mailContext({ EMAIL_LOGIN: 'on' });
});
afterAll(() => flow.close());

const codes = (replies: { status: number; body: { code?: string } }[]) =>
  replies.map(({ status, body }) => body.code ?? status).sort();
const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
const requests = (ctx = flow.ctx) => ctx.db.selectFrom('mailed_codes').selectAll().orderBy('id').execute();
const typesOf = async (...ids: string[]) => (await flow.eventsOf(...ids)).map(({ type }) => type);

describe('with EMAIL_LOGIN=off, which is the default', () => {
  test('there is none, whatever is sent', async () => {
    const off = await mailContext();
    const { email } = await verifiedPerson(off.ctx);
    for (const body of [email, 'no address', null, undefined]) {
      const reply = await askForCode(off.ctx, body);
      expect([reply.status, reply.body.code]).toEqual([404, 'not_found']);
      expect(reply.body.detail).toContain('EMAIL_LOGIN');
    }
    const reply = await sendCode(off.ctx, 'x', '123456');
    expect([reply.status, reply.body.code]).toEqual([404, 'not_found']);
    expect(reply.body.detail).toContain('EMAIL_LOGIN');
    expect(await requests(off.ctx)).toEqual([]);
    await off.close();
  });
});

describe('a code', () => {
  test('logs in, says by what, and changes nothing else of a user who has verified the address', async () => {
    const { email, user } = await verifiedPerson(flow.ctx);
    const asked = await askForCode(flow.ctx, ` ${email.toUpperCase()}`);
    expect([asked.status, asked.body]).toEqual([
      202,
      { emailToken: expect.stringMatching(/^[\w-]{43}$/), expiresIn: 600 },
    ]);
    expect(asked.headers['cache-control']).toBe('no-store');
    const code = codeIn((await flow.deliver()).find(isCodeMail));
    const reply = await sendCode(flow.ctx, asked.body.emailToken, ` ${code.slice(0, 3)} ${code.slice(3)}\n`);
    expect([reply.status, reply.body.user]).toEqual([200, { ...user, emailVerified: true }]);
    const { amr, acr, auth_time: provenAt } = claimsOf(reply.body.accessToken);
    expect([amr, acr, provenAt]).toEqual([['otp'], 'aal1', Math.floor(flow.ctx.clock.now.getTime() / 1000)]);
    expect((await call(getMe, flow.ctx, { token: reply.body.accessToken })).status).toBe(200);
    const events = await flow.eventsOf(user.id);
    expect(events.map(({ type }) => type)).toEqual([
      'user.created',
      'user.login_code_requested',
      'session.created',
    ]);
    expect(events[1]?.data).toEqual({ id: user.id, requestId: expect.any(String) });
    expect(events[2]?.data).toMatchObject({ reason: 'login', amr: ['otp'] });
    expect(
      (await call(login, flow.ctx, { method: 'POST', body: { email, password: PASSWORD } })).status,
    ).toBe(200);
  });

  test('works once, and not with the token of another request', async () => {
    const { email } = await verifiedPerson(flow.ctx);
    const first = await mailedCode(flow, email);
    const second = await mailedCode(flow, email);
    const stranger = await mailedCode(flow, (await verifiedPerson(flow.ctx)).email);
    if (first.code !== stranger.code)
      expect((await sendCode(flow.ctx, stranger.emailToken, first.code)).body.code).toBe('invalid_code');
    expect((await sendCode(flow.ctx, 'no-token', first.code)).body.code).toBe('invalid_token');
    // A newer request leaves the older one open.
    expect((await sendCode(flow.ctx, first.emailToken, first.code)).status).toBe(200);
    const again = await sendCode(flow.ctx, first.emailToken, first.code);
    expect([again.status, again.body.code]).toEqual([400, 'invalid_token']);
    expect((await sendCode(flow.ctx, second.emailToken, second.code)).status).toBe(200);
  });

  test('expires after ten minutes', async () => {
    const { email } = await verifiedPerson(flow.ctx);
    const inTime = await mailedCode(flow, email);
    later(flow.ctx, 1);
    const late = await mailedCode(flow, email);
    later(flow.ctx, 598);
    expect((await sendCode(flow.ctx, inTime.emailToken, inTime.code)).status).toBe(200);
    later(flow.ctx, 2);
    expect((await sendCode(flow.ctx, late.emailToken, late.code)).body.code).toBe('invalid_token');
  });

  test('can be tried five times, and the sixth is too many even if it is right', async () => {
    const { email } = await verifiedPerson(flow.ctx);
    const last = await mailedCode(flow, email);
    for (let by = 1; by <= 4; by++) {
      const reply = await sendCode(flow.ctx, last.emailToken, otherThan(last.code, by));
      expect([reply.status, reply.body.code]).toEqual([401, 'invalid_code']);
    }
    expect((await sendCode(flow.ctx, last.emailToken, last.code)).status).toBe(200);
    const over = await mailedCode(flow, email);
    for (const code of ['', '12345', '1234567', 'abcdef', '１２３４５６', '-1', '0', over.code.slice(1)])
      await sendCode(flow.ctx, over.emailToken, code);
    const reply = await sendCode(flow.ctx, over.emailToken, over.code);
    expect([reply.status, reply.body.code]).toEqual([400, 'invalid_token']);
  });

  test('is wrong before it is mailed, and the try counts', async () => {
    const { email } = await verifiedPerson(flow.ctx);
    const { emailToken } = (await askForCode(flow.ctx, email)).body;
    for (let index = 0; index < 5; index++)
      expect((await sendCode(flow.ctx, emailToken, `00000${index}`)).body.code).toBe('invalid_code');
    const code = codeIn((await flow.deliver()).find(isCodeMail));
    expect((await sendCode(flow.ctx, emailToken, code)).body.code).toBe('invalid_token');
  });

  test('of fifty wrong ones at once, five are compared; of fifty right ones, one logs in', async () => {
    const { email, user } = await verifiedPerson(flow.ctx);
    const wrong = await mailedCode(flow, email);
    const guesses = await Promise.all(
      Array.from({ length: 50 }, (_, by) =>
        sendCode(flow.ctx, wrong.emailToken, otherThan(wrong.code, by + 1)),
      ),
    );
    expect(codes(guesses)).toEqual([...Array(5).fill('invalid_code'), ...Array(45).fill('invalid_token')]);
    const failed = await flow.ctx.db
      .selectFrom('audit_log')
      .select('details')
      .where('type', '=', 'session.failed')
      .where('subject', '=', user.id)
      .execute();
    expect(failed.map(({ details }) => details)).toEqual(
      Array(5).fill({
        nameHash: expect.stringMatching(/^[0-9a-f]{32}$/),
        method: 'mailed_code',
        reason: 'wrong_code',
      }),
    );
    const right = await mailedCode(flow, email);
    const replies = await Promise.all(
      Array.from({ length: 50 }, () => sendCode(flow.ctx, right.emailToken, right.code)),
    );
    expect(codes(replies)).toEqual([200, ...Array(49).fill('invalid_token')]);
  });

  test('is void once the user has another address, whoever changed it; another password does not matter', async () => {
    const admin = await logInAdmin(flow.ctx);
    const moved = await verifiedPerson(flow.ctx);
    const old = await mailedCode(flow, moved.email);
    const unmailed = (await askForCode(flow.ctx, moved.email)).body.emailToken;
    const put = { method: 'PUT', params: { id: moved.user.id }, token: admin.accessToken };
    const body = { email: `new-${moved.email}`, emailVerified: true };
    expect((await call(updateUser, flow.ctx, { ...put, body })).status).toBe(200);
    expect((await sendCode(flow.ctx, old.emailToken, old.code)).body.code).toBe('invalid_token');
    // What was asked for by the old address is not mailed to the new one either.
    expect((await flow.deliver()).filter(isCodeMail)).toEqual([]);
    expect((await sendCode(flow.ctx, unmailed, '000000')).body.code).toBe('invalid_code');

    const changed = await verifiedPerson(flow.ctx);
    const kept = await mailedCode(flow, changed.email);
    const own = { method: 'PUT', params: { id: 'me' }, token: changed.accessToken };
    const passwords = { currentPassword: PASSWORD, newPassword: 'quite another password' };
    expect((await call(changePassword, flow.ctx, { ...own, body: passwords })).status).toBe(200);
    expect((await sendCode(flow.ctx, kept.emailToken, kept.code)).status).toBe(200);
  });

  test('of a change between check and lock, such as of the name, is still right', async () => {
    const { email, user } = await verifiedPerson(flow.ctx);
    const { emailToken, code } = await mailedCode(flow, email);
    const racing = await flow.ctx.db.transaction().execute(async (tx) => {
      await tx.updateTable('users').set({ version: 7, role: 'user' }).where('id', '=', user.id).execute();
      const reply = sendCode(flow.ctx, emailToken, code);
      await untilLockIsAwaited(flow.ctx);
      return { reply };
    });
    expect((await racing.reply).status).toBe(200);
  });
});

describe('requests', () => {
  test('of one address stay few, however many there are, and those beyond the limit push none out', async () => {
    const { email } = await verifiedPerson(flow.ctx);
    for (const address of [email, `nobody-${email}`]) {
      const before = (await requests()).length;
      for (let index = 0; index < 30; index++) await askForCode(flow.ctx, address);
      expect((await requests()).length - before).toBe(10);
    }
    await flow.deliver();
    const limited = await mailContext({
      EMAIL_LOGIN: 'on',
      RATE_LIMITS: 'on',
      RATE_LIMIT_MAIL_ACCOUNT: '3/3600',
    });
    const person = await verifiedPerson(limited.ctx);
    const first = await mailedCode(limited, person.email);
    for (let index = 0; index < 40; index++) await askForCode(limited.ctx, person.email);
    const open = (await requests(limited.ctx)).filter((row) => row.expires_at > limited.ctx.clock.now);
    expect(open).toHaveLength(3);
    expect((await sendCode(limited.ctx, first.emailToken, first.code)).status).toBe(200);
    await limited.close();
  });

  test('go with their user, and expired ones with the next request or the purge', async () => {
    const { email, accessToken } = await verifiedPerson(flow.ctx);
    const { emailToken, code } = await mailedCode(flow, email);
    await call(deleteUser, flow.ctx, { method: 'DELETE', params: { id: 'me' }, token: accessToken });
    const reply = await sendCode(flow.ctx, emailToken, code);
    expect([reply.status, reply.body.code]).toEqual([400, 'invalid_token']);
    await askForCode(flow.ctx, 'somebody@example.com');
    later(flow.ctx, 600);
    const { mailedCodes } = await purgeEvents(flow.ctx, 10_000);
    expect([mailedCodes > 0, await requests()]).toEqual([true, []]);
    await askForCode(flow.ctx, 'somebody@example.com');
    later(flow.ctx, 600);
    await askForCode(flow.ctx, 'somebody.else@example.com');
    expect(await requests()).toHaveLength(1);
  });

  test.each([
    {},
    { email: 'nobody' },
    { email: null },
    { email: ['a@example.com'] },
    { email: 'a@example.com', more: 1 },
  ])('with a body that is not valid are refused (%#)', async (body) => {
    const reply = await call(loginEmail, flow.ctx, { method: 'POST', body });
    expect([reply.status, reply.body.code]).toEqual([422, 'invalid_request']);
  });

  test.each([
    {},
    { emailToken: 'x' },
    { code: '123456' },
    { emailToken: 'x', code: 123456 },
    { emailToken: 'x', code: '' },
    { emailToken: '', code: '123456' },
    { emailToken: 'x', code: '1'.repeat(65) },
    { emailToken: 'x', code: '123456', email: 'a@example.com' },
  ])('to verify a code are refused with a body that is not valid (%#)', async (body) => {
    const reply = await call(verifyLoginEmail, flow.ctx, { method: 'POST', body });
    expect([reply.status, reply.body.code]).toEqual([422, 'invalid_request']);
  });
});

describe('the event', () => {
  async function unhandled() {
    const { email, user } = await verifiedPerson(flow.ctx);
    await flow.deliver();
    const { emailToken } = (await askForCode(flow.ctx, email)).body;
    const event = (await flow.eventsOf(user.id)).at(-1) as UserEvent<'user.login_code_requested'>;
    return { email, emailToken, event };
  }
  const replay = async (event: UserEvent) => {
    await flow.ctx.db.deleteFrom('inbox').where('event_id', '=', event.id).execute();
    const before = flow.server.mails.length;
    const handler = emails(() => flow.ctx);
    expect((await consume(handler, [event])).batchItemFailures).toEqual([]);
    return flow.server.mails.slice(before);
  };

  test('delivered again because its commit failed mails the same code, and the first mail stays right', async () => {
    const { emailToken, event } = await unhandled();
    const lost = flow.ctx.db.transaction().execute(async (tx) => {
      await sendLoginCode(event, tx, { ...flow.ctx, endsAt: performance.now() + 60_000 });
      throw new Error('the connection was lost');
    });
    await expect(lost).rejects.toThrow('the connection was lost');
    const first = flow.server.mails.at(-1);
    const [second] = await flow.deliver();
    expect([second?.messageId, codeIn(second)]).toEqual([first?.messageId, codeIn(first)]);
    expect((await sendCode(flow.ctx, emailToken, codeIn(first))).status).toBe(200);
  });

  test('replayed mails nothing: not after it was mailed, used or has expired, nor for a request that is gone', async () => {
    const { emailToken, event } = await unhandled();
    const [mail] = await flow.deliver();
    expect(await replay(event)).toEqual([]);
    expect((await sendCode(flow.ctx, emailToken, codeIn(mail))).status).toBe(200);
    expect(await replay(event)).toEqual([]);
    const late = await unhandled();
    later(flow.ctx, 600);
    expect(await flow.deliver()).toEqual([]);
    expect(
      await replay({ ...late.event, data: { ...late.event.data, requestId: flow.ctx.newId() } }),
    ).toEqual([]);
  });

  test('edited to name the request of somebody else mails nothing to anybody', async () => {
    const [mine, theirs] = [await unhandled(), await unhandled()];
    const edited = { ...mine.event, data: { ...mine.event.data, requestId: theirs.event.data.requestId } };
    expect(await replay(edited)).toEqual([]);
    await flow.deliver();
  });

  test('is the only thing that leaves, without the code, which is stored nowhere', async () => {
    const { email } = await verifiedPerson(flow.ctx);
    const { emailToken, code } = await mailedCode(flow, email);
    await sendCode(flow.ctx, emailToken, otherThan(code));
    await sendCode(flow.ctx, emailToken, code);
    const tables = await sql<{ text: string }>`
      select coalesce(string_agg(text, ' '), '') as text from (
        select to_jsonb(events)::text as text from events union all select to_jsonb(audit_log)::text from audit_log
        union all select to_jsonb(mailed_codes)::text from mailed_codes
        union all select to_jsonb(event_history)::text from event_history) as all_rows`.execute(flow.ctx.db);
    const [{ text } = { text: '' }] = tables.rows;
    for (const place of [text, JSON.stringify(flow.ctx.logged)]) {
      expect(place).not.toContain(emailToken);
      // Not inside a longer number or id.
      expect(place).not.toMatch(new RegExp(`(?<![0-9a-zA-Z-.])${code}(?![0-9a-zA-Z-])`));
    }
  });
});

describe('the mail', () => {
  test('has the code in its text, to be copied and read out, and not in its subject; says who asked, and what to do', async () => {
    const name = 'Eve <b>https://evil.example</b>';
    const { email } = await verifiedPerson(flow.ctx, { displayName: name });
    await flow.deliver();
    await call(loginEmail, flow.ctx, {
      method: 'POST',
      body: { email },
      address: '203.0.113.7',
      headers: { 'user-agent': 'call +1 555 0100' },
    });
    const [mail] = await flow.deliver();
    const code = codeIn(mail);
    expect(mail?.subject).toBe('Your code to log in to Rollcall');
    expect(mail?.raw).not.toContain('555 0100');
    expect(mail?.html).toMatch(new RegExp(`<p [^>]*>${code}</p>`));
    expect(mail?.html).not.toContain('<b>');
    for (const part of [mail?.text, mail?.html]) {
      expect(part).toContain('expires in 10 minutes');
      expect(part).toContain('203.0.113.7');
      expect(part).toContain('Nobody from Rollcall will ever ask');
      expect(part).toMatch(/If you didn(’|&#39;|')t request this/);
    }
  });

  test('says how much time is left', async () => {
    const { email } = await verifiedPerson(flow.ctx);
    await flow.deliver();
    for (const [seconds, left] of [
      [330, '4 minutes'],
      [570, '1 minute'],
    ] as const) {
      await askForCode(flow.ctx, email);
      later(flow.ctx, seconds);
      const [mail] = await flow.deliver();
      expect(mail?.text).toContain(`expires in ${left}.`);
    }
  });
});

describe('with a second factor', () => {
  test.each(['with', 'without'])('a code is the first one, for a user %s a password', async (having) => {
    const person = await verifiedPerson(flow.ctx);
    const app = await addAuthenticator(flow.ctx, person);
    if (having === 'without')
      await flow.ctx.db.deleteFrom('passwords').where('user_id', '=', person.user.id).execute();
    const { emailToken, code } = await mailedCode(flow, person.email);
    const first = await sendCode(flow.ctx, emailToken, code);
    expect([first.status, first.body.code, first.body.factors]).toEqual([
      401,
      'second_factor_required',
      ['totp'],
    ]);
    expect((await sendCode(flow.ctx, emailToken, code)).body.code).toBe('invalid_token');
    const send = (typed: string) =>
      call(loginFactor, flow.ctx, {
        method: 'POST',
        body: { factorToken: first.body.factorToken, type: 'totp', code: typed },
      });
    expect((await send('000000')).body.code).toBe('invalid_code');
    const second = await send(app.code());
    expect([second.status, claimsOf(second.body.accessToken).amr]).toEqual([200, ['otp', 'mfa']]);
    expect((await typesOf(person.user.id)).at(-1)).toBe('session.created');
  });

  test('of fifty right codes at once, one gets a token for the second one', async () => {
    const person = await verifiedPerson(flow.ctx);
    await addAuthenticator(flow.ctx, person);
    const { emailToken, code } = await mailedCode(flow, person.email);
    const replies = await Promise.all(Array.from({ length: 50 }, () => sendCode(flow.ctx, emailToken, code)));
    expect(codes(replies)).toEqual([...Array(49).fill('invalid_token'), 'second_factor_required']);
  });
});

test('a request and its event are one: neither is there without the other', async () => {
  const { email, user } = await verifiedPerson(flow.ctx);
  await askForCode(flow.ctx, email);
  const event = (await readEvents(flow.ctx)).findLast(({ subject }) => subject === user.id);
  const rows = await requests();
  expect(rows.filter(({ user_id: id }) => id === user.id).map(({ id }) => id)).toEqual([
    event && 'requestId' in event.data && event.data.requestId,
  ]);
  await registerPerson(flow.ctx);
  await flow.deliver();
});
