import { sql } from 'kysely';
import { handler as countEvents } from '../../../functions/analytics/count-events';
import { firstIdOf } from '../../../shared/events/event-id';
import { type TestContext, testContext } from '../../setup/context';
import { call } from '../../setup/http';
import { logInAdmin, type Person, registerPerson } from '../../setup/people';

let ctx: TestContext;
let admin: Person;
beforeAll(async () => {
  ctx = await testContext();
  // Elsewhere than the machine's clock, which the ids of the administrator's own events have.
  ctx.clock.now = new Date('2027-01-01T12:30:30.000Z');
  admin = await logInAdmin(ctx);
});
afterAll(() => ctx.close());

const count = (minutes?: string, token = admin.accessToken) =>
  call(countEvents, ctx, { query: minutes === undefined ? {} : { minutes }, token });

/** So many events with ids of that time. */
async function append(time: string, events: number): Promise<void> {
  const first = firstIdOf(new Date(time)).slice(0, -12);
  await sql`
    insert into events (id, type, subject, sequence, time, data)
    select (${first} || lpad(to_hex(n), 12, '0'))::uuid, 'session.created', gen_random_uuid(), '1', ${time}, '{}'
    from generate_series(1, ${events}::int) as n`.execute(ctx.db);
}

test('counts each of the last minutes, the empty ones too, the current one last', async () => {
  await append('2027-01-01T12:27:59.999Z', 1);
  await append('2027-01-01T12:28:00.000Z', 2);
  await append('2027-01-01T12:28:59.999Z', 3);
  await append('2027-01-01T12:30:29.000Z', 4);
  const { status, body } = await count('3');
  expect(status).toBe(200);
  expect(body.minutes).toEqual([
    { minute: '2027-01-01T12:28:00.000Z', count: 5 },
    { minute: '2027-01-01T12:29:00.000Z', count: 0 },
    { minute: '2027-01-01T12:30:00.000Z', count: 4 },
  ]);
  expect((await count()).body.minutes).toHaveLength(60);
  expect((await count('180')).body.minutes).toHaveLength(180);
});

test('stops counting a minute at 10,000', async () => {
  await append('2027-01-01T12:29:30.000Z', 10_001);
  expect((await count('2')).body.minutes[0].count).toBe(10_000);
});

test.each(['0', '181', '-1', '1.5', 'x', ''])('refuses %j minutes', async (minutes) => {
  const { status, body } = await count(minutes);
  expect([status, body.errors[0].path]).toEqual([422, 'minutes']);
});

test('is for those who may read events', async () => {
  const person = await registerPerson(ctx);
  expect((await count('1', person.accessToken)).body.code).toBe('forbidden');
});
