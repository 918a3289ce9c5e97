import { login } from '../../../functions/auth/login';
import { getMe } from '../../../functions/users/get-me';
import { endSessions } from '../../../shared/sessions/end-sessions';
import { type TestContext, testContext } from '../../setup/context';
import { call } from '../../setup/http';
import { readEvents } from '../../setup/mail-flow';
import { PASSWORD, type Person, registerPerson } from '../../setup/people';

let ctx: TestContext;

beforeAll(async () => {
  ctx = await testContext();
});
afterAll(() => ctx.close());

const origin = { actorId: null, address: null, userAgent: null, requestId: null, traceparent: null };

async function personWithSessions(count: number): Promise<{ person: Person; accessTokens: string[] }> {
  const person = await registerPerson(ctx);
  const accessTokens = [person.accessToken];
  while (accessTokens.length < count) {
    const body = { username: person.user.username, password: PASSWORD };
    accessTokens.push((await call(login, ctx, { method: 'POST', body })).body.accessToken);
  }
  return { person, accessTokens };
}

const end = (userId: string, except?: string) =>
  ctx.db.transaction().execute(async (tx) => {
    await tx.selectFrom('users').select('id').where('id', '=', userId).forUpdate().execute();
    return endSessions(tx, ctx, userId, { reason: 'revoked', origin, ...(except && { except }) });
  });

const works = async (token: string) => (await call(getMe, ctx, { token })).status === 200;

test('ends all sessions of this user and of nobody else, each with its event', async () => {
  const { person, accessTokens } = await personWithSessions(3);
  const other = await registerPerson(ctx);
  const pending = await end(person.user.id);
  expect(pending.map(({ event, mayPublishNow }) => [event.type, mayPublishNow])).toEqual(
    Array(3).fill(['session.revoked', false]),
  );
  expect(await Promise.all(accessTokens.map(works))).toEqual([false, false, false]);
  expect(await works(other.accessToken)).toBe(true);
  const events = (await readEvents(ctx)).filter((event) => event.subject === person.user.id);
  const sequences = events.map((event) => event.sequence);
  expect(sequences).toEqual([...sequences].sort());
  expect(new Set(sequences).size).toBe(6);
});

test('keeps the one that is excepted', async () => {
  const { person, accessTokens } = await personWithSessions(2);
  const sessions = await ctx.db
    .selectFrom('sessions')
    .select('id')
    .where('user_id', '=', person.user.id)
    .orderBy('id')
    .execute();
  const pending = await end(person.user.id, sessions[0]?.id);
  expect(pending.map(({ event }) => event.data)).toEqual([
    { userId: person.user.id, sessionId: sessions[1]?.id, reason: 'revoked' },
  ]);
  expect(await Promise.all(accessTokens.map(works))).toEqual([true, false]);
});

test('has nothing to say about sessions that have ended or run out', async () => {
  const { person } = await personWithSessions(2);
  expect(await end(person.user.id)).toHaveLength(2);
  expect(await end(person.user.id)).toEqual([]);
  const idle = await registerPerson(ctx);
  await ctx.db
    .updateTable('sessions')
    .set({ expires_at: ctx.now() })
    .where('user_id', '=', idle.user.id)
    .execute();
  expect(await end(idle.user.id)).toEqual([]);
});
