// A change of one's own factors that waits while the session is ended comes too late: the session may be a thief's.
import { handler as addTotp } from '../../../functions/factors/add-totp';
import { handler as confirmTotp } from '../../../functions/factors/confirm-totp';
import { handler as createRecoveryCodes } from '../../../functions/factors/create-recovery-codes';
import { handler as removeFactor } from '../../../functions/factors/remove-factor';
import { handler as removePasskey } from '../../../functions/factors/remove-passkey';
import { handler as changePassword } from '../../../functions/users/change-password';
import { lockUserRow } from '../../../shared/users/user-store';
import { SoftwareAuthenticator } from '../../setup/authenticator';
import { type TestContext, testContext } from '../../setup/context';
import { untilLockIsAwaited } from '../../setup/database';
import { eventsOf } from '../../setup/events';
import { addAuthenticator, codeOf, recoveryCodes } from '../../setup/factors';
import { call } from '../../setup/http';
import type { TestReply } from '../../setup/http-event';
import { addOwnPasskey, creationOptions, register } from '../../setup/passkeys';
import { logInAdmin, type Person, registerPerson } from '../../setup/people';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext();
});
afterAll(() => ctx.close());

type Send = () => Promise<TestReply>;
const post = (handler: Parameters<typeof call<TestContext>>[0], token: string, body?: object) =>
  call(handler, ctx, { method: 'POST', params: { id: 'me' }, token, body });

/** Prepares each change, and returns what sends it. */
const CHANGES: Record<string, (person: Person) => Promise<Send>> = {
  'a new passkey': async (person) => {
    const credential = new SoftwareAuthenticator().register(await creationOptions(ctx, person));
    return () => register(ctx, person, credential);
  },
  'a passkey removed': async (person) => {
    const { id: passkeyId } = await addOwnPasskey(ctx, person);
    const params = { id: 'me', passkeyId };
    return () => call(removePasskey, ctx, { method: 'DELETE', params, token: person.accessToken });
  },
  'a new authenticator app': async ({ accessToken }) => {
    const { secret } = (await post(addTotp, accessToken)).body;
    return () => post(confirmTotp, accessToken, { code: codeOf(secret, ctx.clock.now) });
  },
  'an authenticator app removed': async (person) => {
    const { factorId } = await addAuthenticator(ctx, person);
    const params = { id: person.user.id, factorId };
    return () => call(removeFactor, ctx, { method: 'DELETE', params, token: person.accessToken });
  },
  'new recovery codes': async (person) => {
    await addAuthenticator(ctx, person);
    await recoveryCodes(ctx, person);
    return () => post(createRecoveryCodes, person.accessToken);
  },
};

test.each(Object.keys(CHANGES))('%s', async (name) => {
  const person = await registerPerson(ctx);
  const send = await CHANGES[name]?.(person);
  if (!send) throw new Error(`No change ${name}`);
  const { accessToken: token } = await logInAdmin(ctx);
  const before = await eventsOf(ctx, person.user.id);
  const { answers } = await ctx.db.transaction().execute(async (tx) => {
    await lockUserRow(tx, person.user.id);
    const body = { newPassword: 'quite another password' };
    const ending = call(changePassword, ctx, { method: 'PUT', params: { id: person.user.id }, token, body });
    await untilLockIsAwaited(ctx, 1);
    const late = send();
    await untilLockIsAwaited(ctx, 2);
    return { answers: Promise.all([ending, late]) };
  });
  const [ending, late] = await answers;
  expect([ending.status, late.status, late.body.code]).toEqual([204, 401, 'unauthorized']);
  expect(late.headers['www-authenticate']).toBe('Bearer error="invalid_token"');
  expect(await eventsOf(ctx, person.user.id)).toEqual([
    ...before,
    'user.password_changed',
    'session.revoked',
  ]);
});
