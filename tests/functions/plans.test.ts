import { sql } from 'kysely';
import { handler as login } from '../../functions/auth/login';
import { analytics } from '../../functions/consumers/analytics';
import { audit } from '../../functions/consumers/audit';
import { webhooks } from '../../functions/consumers/webhooks';
import { handler as getMe } from '../../functions/users/get-me';
import { findEarlierAttempts } from '../../shared/poller/earlier-attempts-store';
import { type TestContext, testContext } from '../setup/context';
import { storedEvents } from '../setup/events';
import { call } from '../setup/http';
import { PASSWORD, registerPerson } from '../setup/people';
import { rmqEvent } from '../setup/rmq';

/** So often PostgreSQL plans a prepared statement for its parameters, before it compares with a plan for any. */
const PLANNED_FIRST = 5;
const TIMES = 12;

let ctx: TestContext;
beforeAll(async () => {
  // One connection: a session sees its own prepared statements alone.
  ctx = await testContext({
    DATABASE_POOL_SIZE: '1',
    RATE_LIMITS: 'on',
    RATE_LIMIT_REGISTER_ADDRESS: '1000/3600',
  });
});
afterAll(() => ctx.close());

test('the statements of a registration, a login, a request and an event are not planned anew each time', async () => {
  for (let i = 0; i < TIMES; i++) {
    const { user, accessToken } = await registerPerson(ctx);
    await call(getMe, ctx, { token: accessToken });
    await call(login, ctx, { method: 'POST', body: { username: user.username, password: PASSWORD } });
  }
  for (const event of (await storedEvents(ctx)).slice(0, TIMES)) {
    await findEarlierAttempts(ctx.db, 'audit', [event]);
    for (const consumer of [audit, analytics, webhooks]) await consumer(() => ctx)(rmqEvent([event]));
  }
  const { rows } = await sql<{ statement: string; plans: number }>`
    select statement, custom_plans::int as plans from pg_prepared_statements
    where generic_plans + custom_plans > ${PLANNED_FIRST}`.execute(ctx.db);
  expect(rows.length).toBeGreaterThan(12);
  expect(rows.filter(({ plans }) => plans > PLANNED_FIRST).map(({ statement }) => statement)).toEqual([]);
});
