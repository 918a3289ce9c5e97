import { handler as resendVerification } from '../../../functions/auth/resend-verification';
import { handler as verifyEmail } from '../../../functions/auth/verify-email';
import { call } from '../../setup/http';
import { type MailContext, mailContext } from '../../setup/mail-flow';
import { tokenIn } from '../../setup/mail-server';
import { outcomesOf } from '../../setup/outbox';
import { type Person, registerPerson } from '../../setup/people';

let flow: MailContext;

beforeAll(async () => {
  flow = await mailContext();
});
afterAll(() => flow.close());

const resend = (token?: string) =>
  call(resendVerification, flow.ctx, {
    method: 'POST',
    path: '/verify-email/resend',
    ...(token !== undefined && { token }),
  });
const verify = (token: string) => call(verifyEmail, flow.ctx, { method: 'POST', body: { token } });
const setUser = (person: Person, change: Record<string, unknown>) =>
  flow.ctx.db.updateTable('users').set(change).where('id', '=', person.user.id).execute();

test('sends another mail, and using one link voids the other', async () => {
  const person = await registerPerson(flow.ctx);
  const [first] = await flow.deliver();
  const { status, body, headers } = await resend(person.accessToken);
  expect([status, body]).toEqual([202, { status: 'accepted' }]);
  expect(headers['cache-control']).toBe('no-store');
  const [second] = await flow.deliver();
  expect(second?.recipients).toEqual([person.user.email]);
  expect((await verify(tokenIn(second))).status).toBe(200);
  expect((await verify(tokenIn(first))).body.code).toBe('invalid_token');
});

test('leaves the event to the relay, and names who asked', async () => {
  const person = await registerPerson(flow.ctx);
  await resend(person.accessToken);
  const row = await flow.ctx.db
    .selectFrom('events')
    .selectAll()
    .where('subject', '=', person.user.id)
    .where('type', '=', 'user.verification_requested')
    .executeTakeFirstOrThrow();
  expect(row).toMatchObject({
    sequence: '0000000001.0000000001',
    actor_id: person.user.id,
    data: { id: person.user.id },
  });
  expect((await outcomesOf(flow.ctx, person.user.id)).at(-1)).toMatchObject({ published_at: null });
});

test('accepts and does nothing where there is nothing to verify', async () => {
  const verified = await registerPerson(flow.ctx);
  await setUser(verified, { email_verified: true });
  const without = await registerPerson(flow.ctx);
  await setUser(without, { email: null });
  for (const person of [verified, without]) {
    expect((await resend(person.accessToken)).status).toBe(202);
    expect(await flow.eventsOf(person.user.id)).toHaveLength(1);
  }
});

test('needs a caller', async () => {
  for (const token of [undefined, 'nonsense']) {
    const answer = await resend(token);
    expect([answer.status, answer.body.code]).toEqual([401, 'unauthorized']);
    expect(answer.headers['www-authenticate']).toContain('Bearer');
  }
});
