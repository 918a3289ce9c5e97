// What a client waits for besides the hash: each round trip to a database in another machine takes the time of the network.
import { handler as login } from '../../functions/auth/login';
import { type TestContext, testContext } from '../setup/context';
import { createTestDatabase } from '../setup/database';
import { call } from '../setup/http';
import { PASSWORD, registerPerson } from '../setup/people';
import { startProxy, type TcpProxy } from '../setup/proxy';

let proxy: TcpProxy;
let ctx: TestContext;
beforeAll(async () => {
  const database = await createTestDatabase();
  proxy = await startProxy(database.url);
  ctx = await testContext({ DATABASE_POOL_SIZE: '1', RATE_LIMITS: 'on' }, { ...database, url: proxy.url });
  // Opens the connection.
  await registerPerson(ctx);
});
afterAll(async () => {
  await ctx.close();
  await proxy.stop();
});

async function roundTripsOf<T>(work: () => Promise<T>): Promise<{ trips: number; result: T }> {
  const before = proxy.roundTrips();
  const result = await work();
  return { trips: proxy.roundTrips() - before, result };
}

test('a registration and a login take as few round trips as their promises allow', async () => {
  // The limit; begin, the user, all that depends on it, commit; the mark that the event was sent.
  const registering = await roundTripsOf(() => registerPerson(ctx));
  expect(registering.trips).toBe(6);
  const { username } = registering.result.user;
  // The limit, the user, the highest cost of a hash, the guess; begin, the lock, all that depends on it, commit.
  const loggingIn = await roundTripsOf(() =>
    call(login, ctx, { method: 'POST', body: { username, password: PASSWORD } }),
  );
  expect([loggingIn.result.status, loggingIn.trips]).toEqual([200, 8]);
});
