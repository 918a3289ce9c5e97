// That asking for codes and trying them reveals nothing of an address, and how often wrong ones can be tried.
import { sql } from 'kysely';
import pg from 'pg';
import { handler as forgotPassword } from '../../../functions/auth/forgot-password';
import { handler as login } from '../../../functions/auth/login';
import { handler as deleteUser } from '../../../functions/users/delete-user';
import { later } from '../../setup/factors';
import { call } from '../../setup/http';
import { type MailContext, mailContext } from '../../setup/mail-flow';
import {
  askForCode,
  isCodeMail,
  mailedCode,
  otherThan,
  sendCode,
  verifiedPerson,
} from '../../setup/mailed-codes';
import { PASSWORD, registration } from '../../setup/people';

describe('nobody learns whether a user has an address', () => {
  let limited: MailContext;
  beforeAll(async () => {
    limited = await mailContext({
      EMAIL_LOGIN: 'on',
      RATE_LIMITS: 'on',
      RATE_LIMIT_MAIL_ACCOUNT: '2/3600',
      RATE_LIMIT_MAIL_ADDRESS: '1000/3600',
      RATE_LIMIT_LOGIN_ADDRESS: '1000/900',
      RATE_LIMIT_REGISTER_ADDRESS: '1000/3600',
    });
  });
  afterAll(() => limited.close());

  /** What can be seen of a request from outside, and what it costs. */
  async function traceOf(send: () => ReturnType<typeof askForCode>) {
    const sent = jest.spyOn(pg.Client.prototype, 'query');
    const start = limited.ctx.logged.length;
    const { status, headers, body } = await send();
    const statements = sent.mock.calls.map((call) => {
      const [query] = call as unknown as [string | { text: string }];
      return typeof query === 'string' ? query : query.text;
    });
    sent.mockRestore();
    const { 'x-request-id': _id, ...others } = headers;
    const { requestId: _request, emailToken, ...told } = body;
    const lines = limited.ctx.logged
      .slice(start)
      .map(({ time: _time, ms: _ms, requestId: _line, traceId: _trace, userId: _user, ...line }) => line);
    return { emailToken, seen: { status, headers: others, body: told, lines, statements } };
  }
  const asking = (email: string) => traceOf(() => askForCode(limited.ctx, email));

  test('by asking for a code: known, unknown, deleted, beyond the limit of mails or of requests', async () => {
    const unknown = `nobody-${registration().username}@example.com`;
    const known = await verifiedPerson(limited.ctx);
    const gone = await verifiedPerson(limited.ctx);
    await call(deleteUser, limited.ctx, {
      method: 'DELETE',
      params: { id: 'me' },
      token: gone.accessToken,
    });
    // The registration's mail has counted once: the second request is beyond the limit on mails, the third on requests.
    const traces = [];
    for (const email of [unknown, known.email, gone.email, known.email, known.email, unknown, unknown])
      traces.push((await asking(email)).seen);
    for (const trace of traces) expect(trace).toEqual(traces[0]);
    expect(traces[0]?.status).toBe(202);
    const mails = (await limited.deliver()).filter(isCodeMail);
    expect(mails.map(({ recipients }) => recipients)).toEqual([[known.email]]);
    expect(JSON.stringify(limited.ctx.logged)).not.toContain(unknown);
    const stored = await sql<{ text: string }>`
      select mailed_codes::text as text from mailed_codes`.execute(limited.ctx.db);
    for (const { text } of stored.rows) expect(text).not.toContain('@');
  });

  test('by trying codes: as many tries, the same limit, the same entries in the audit log', async () => {
    const known = await verifiedPerson(limited.ctx);
    const unknown = `nobody-${registration().username}@example.com`;
    const full = await verifiedPerson(limited.ctx);
    for (let index = 0; index < 2; index++) await askForCode(limited.ctx, full.email);
    const trials = [];
    for (const [index, email] of [known.email, unknown, full.email].entries()) {
      // From a place where nobody is known.
      const from = { address: `198.51.100.${index}` };
      const { body } = await askForCode(limited.ctx, email);
      await limited.deliver();
      const traces = [];
      for (let guess = 0; guess < 7; guess++)
        traces.push(
          (await traceOf(() => sendCode(limited.ctx, body.emailToken, `99999${guess}`, from))).seen,
        );
      trials.push(traces);
    }
    const [ofKnown, ofUnknown, ofFull] = trials;
    expect(ofUnknown).toEqual(ofKnown);
    expect(ofKnown?.map(({ body }) => body.code)).toEqual([
      ...Array(5).fill('invalid_code'),
      ...Array(2).fill('invalid_token'),
    ]);
    // The third request for it: stored as expired.
    expect(ofFull?.map(({ body }) => body.code)).toEqual(Array(7).fill('invalid_token'));
  });

  test('a mailbox that other mails have filled: its requests are like those of any other, and no mail is sent', async () => {
    const { email } = await verifiedPerson(limited.ctx);
    await call(forgotPassword, limited.ctx, { method: 'POST', body: { email } });
    const { body } = await askForCode(limited.ctx, email);
    expect((await limited.deliver()).filter(isCodeMail)).toEqual([]);
    for (let guess = 0; guess < 5; guess++)
      expect((await sendCode(limited.ctx, body.emailToken, `99999${guess}`)).body.code).toBe('invalid_code');
    expect((await sendCode(limited.ctx, body.emailToken, '999999')).body.code).toBe('invalid_token');
  });
});

describe('wrong codes are limited', () => {
  let limited: MailContext;
  beforeAll(async () => {
    limited = await mailContext({
      EMAIL_LOGIN: 'on',
      RATE_LIMITS: 'on',
      RATE_LIMIT_LOGIN_ACCOUNT: '3/900',
      RATE_LIMIT_LOGIN_ADDRESS: '1000/900',
      RATE_LIMIT_MAIL_ACCOUNT: '50/3600',
    });
  });
  afterAll(() => limited.close());
  const strange = { address: '198.51.100.1' };

  test('by user, across requests and places; known places stay open, and right codes do not count', async () => {
    const { email } = await verifiedPerson(limited.ctx);
    const requested = [];
    for (let index = 0; index < 4; index++) requested.push(await mailedCode(limited, email));
    const outcomes = [];
    for (const [index, { emailToken, code }] of requested.entries())
      for (const by of [1, 2])
        outcomes.push(
          (await sendCode(limited.ctx, emailToken, otherThan(code, by), { address: `198.51.100.${index}` }))
            .body.code,
        );
    expect(outcomes).toEqual([...Array(3).fill('invalid_code'), ...Array(5).fill('rate_limited')]);
    const [one, two, three, four] = requested;
    if (!one || !two || !three || !four) throw new Error('There are four');
    const refused = await sendCode(limited.ctx, one.emailToken, one.code, strange);
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '900']);
    // Where the user has had a session, a right one is taken, and a wrong one is answered as anywhere.
    const wrong = await sendCode(limited.ctx, two.emailToken, otherThan(two.code));
    expect(wrong.body.code).toBe('rate_limited');
    expect((await sendCode(limited.ctx, three.emailToken, three.code)).status).toBe(200);
    expect((await sendCode(limited.ctx, four.emailToken, four.code)).status).toBe(200);
    // A password is counted apart.
    const body = { email, password: PASSWORD };
    expect((await call(login, limited.ctx, { method: 'POST', body, ...strange })).status).toBe(200);
    later(limited.ctx, 900);
    const next = await mailedCode(limited, email);
    expect((await sendCode(limited.ctx, next.emailToken, next.code, strange)).status).toBe(200);
  });

  test('as often for an address that nobody has', async () => {
    const email = `nobody-${registration().username}@example.com`;
    const outcomes = [];
    for (let index = 0; index < 3; index++) {
      const { emailToken } = (await askForCode(limited.ctx, email)).body;
      for (let guess = 0; guess < 2; guess++)
        outcomes.push((await sendCode(limited.ctx, emailToken, '123456', strange)).body.code);
    }
    expect(outcomes).toEqual([...Array(3).fill('invalid_code'), ...Array(3).fill('rate_limited')]);
  });
});
