import fc from 'fast-check';
import { handler as listRegistrations } from '../../../functions/analytics/list-registrations';
import { analytics } from '../../../functions/consumers/analytics';
import { consume } from '../../setup/consume';
import { type TestContext, testContext } from '../../setup/context';
import { storedEvents } from '../../setup/events';
import { call } from '../../setup/http';
import { logInAdmin, type Person, registerPerson } from '../../setup/people';

const NOW = new Date('2026-11-21T16:37:15.123Z');
const NONE = { registrations: 0, verifications: 0, logins: 0, deletions: 0 };
const HOUR_MS = 60 * 60 * 1000;

let ctx: TestContext;
let admin: Person;
let person: Person;
beforeAll(async () => {
  ctx = await testContext();
  ctx.clock.now = new Date('2026-11-19T23:59:59.999Z');
  await registerPerson(ctx);
  ctx.clock.now = new Date('2026-11-20T00:00:00.000Z');
  await registerPerson(ctx);
  ctx.clock.now = NOW;
  person = await registerPerson(ctx);
  admin = await logInAdmin(ctx);
  await consume(
    analytics(() => ctx),
    await storedEvents(ctx),
  );
});
afterAll(() => ctx.close());

const report = (query: Record<string, string> = {}) =>
  call(listRegistrations, ctx, { query, token: admin.accessToken });

test('days, with those in which nothing happened', async () => {
  const { status, body } = await report({ from: '2026-11-18', to: '2026-11-22' });
  expect(status).toBe(200);
  expect(body).toEqual({
    interval: 'day',
    from: '2026-11-18T00:00:00.000Z',
    to: '2026-11-22T00:00:00.000Z',
    totals: { ...NONE, registrations: 4, logins: 1 },
    buckets: [
      { start: '2026-11-18T00:00:00.000Z', ...NONE },
      { start: '2026-11-19T00:00:00.000Z', ...NONE, registrations: 1 },
      { start: '2026-11-20T00:00:00.000Z', ...NONE, registrations: 1 },
      // The administrator counts too.
      { start: '2026-11-21T00:00:00.000Z', ...NONE, registrations: 2, logins: 1 },
    ],
  });
});

test('hours', async () => {
  const { body } = await report({
    interval: 'hour',
    from: '2026-11-19T23:00:00Z',
    to: '2026-11-20T02:00:00Z',
  });
  expect(body.buckets).toEqual([
    { start: '2026-11-19T23:00:00.000Z', ...NONE, registrations: 1 },
    { start: '2026-11-20T00:00:00.000Z', ...NONE, registrations: 1 },
    { start: '2026-11-20T01:00:00.000Z', ...NONE },
  ]);
});

test('by default the last 30 days or 24 hours, the present one included', async () => {
  const days = (await report()).body;
  expect([days.from, days.to, days.buckets.length]).toEqual([
    '2026-10-23T00:00:00.000Z',
    '2026-11-22T00:00:00.000Z',
    30,
  ]);
  const hours = (await report({ interval: 'hour' })).body;
  expect([hours.from, hours.to, hours.buckets.length]).toEqual([
    '2026-11-20T17:00:00.000Z',
    '2026-11-21T17:00:00.000Z',
    24,
  ]);
  expect(hours.buckets.at(-1)).toMatchObject({ registrations: 2, logins: 1 });
});

test('one end is enough: the other is the present, or as far back as usual', async () => {
  const since = (await report({ from: '2026-11-20' })).body;
  expect([since.from, since.to]).toEqual(['2026-11-20T00:00:00.000Z', '2026-11-22T00:00:00.000Z']);
  const until = (await report({ to: '2026-11-20' })).body;
  expect([until.from, until.to]).toEqual(['2026-10-21T00:00:00.000Z', '2026-11-20T00:00:00.000Z']);
});

test('a range is widened to whole days or hours of UTC', async () => {
  const { body } = await report({ from: '2026-11-20T01:00:00+03:00', to: '2026-11-20T00:00:00.001Z' });
  expect([body.from, body.to]).toEqual(['2026-11-19T00:00:00.000Z', '2026-11-21T00:00:00.000Z']);
});

test('any range that is answered has every bucket once, in order, and totals that are their sum', async () => {
  const time = fc.date({
    min: new Date('2026-11-18T00:00:00Z'),
    max: new Date('2026-11-23T00:00:00Z'),
    noInvalidDate: true,
  });
  await fc.assert(
    fc.asyncProperty(time, time, fc.constantFrom('day', 'hour'), async (a, b, interval) => {
      const [from = a, to = b] = [a, b].sort((one, other) => Number(one) - Number(other));
      fc.pre(from < to);
      const { status, body } = await report({ from: from.toISOString(), to: to.toISOString(), interval });
      expect(status).toBe(200);
      const step = interval === 'day' ? 24 * HOUR_MS : HOUR_MS;
      const starts = body.buckets.map(({ start }: { start: string }) => Date.parse(start));
      expect(starts[0]).toBe(Date.parse(body.from));
      expect(starts.at(-1) + step).toBe(Date.parse(body.to));
      for (const [i, start] of starts.entries()) expect(start).toBe(starts[0] + i * step);
      expect(Date.parse(body.from)).toBeLessThanOrEqual(Number(from));
      expect(Date.parse(body.to)).toBeGreaterThanOrEqual(Number(to));
      const sum = body.buckets.reduce(
        (all: number, bucket: { registrations: number }) => all + bucket.registrations,
        0,
      );
      expect(body.totals.registrations).toBe(sum);
    }),
    { numRuns: 50 },
  );
});

test.each([
  [{ from: 'yesterday' }, 'from', 'must be an ISO 8601 time'],
  [{ interval: 'week' }, 'interval', 'must be day or hour'],
  [{ from: '2026-11-21', to: '2026-11-21' }, 'from', 'must be before `to`'],
  [{ from: '2026-11-22' }, 'from', 'must be before `to`'],
  [{ from: '2020-01-01' }, 'from', 'must be at most 1000 days before `to`'],
  [{ from: '2026-09-01', interval: 'hour' }, 'from', 'must be at most 1000 hours before `to`'],
  [{ to: '9999-12-31' }, 'to', 'must be before the year 9999'],
  [{ metric: 'logins' }, 'metric', 'is not a known field'],
])('refuses %j', async (query, path, message) => {
  const { status, body } = await report(query);
  expect([status, body.code, body.errors[0]]).toEqual([422, 'invalid_request', { path, message }]);
});

test('as many buckets as there may be', async () => {
  const { body } = await report({ from: '2024-01-01', to: '2026-09-27' });
  expect(body.buckets).toHaveLength(1000);
});

test('is for those who may read it', async () => {
  const answer = await call(listRegistrations, ctx, { token: person.accessToken });
  expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
});
