import { sql } from 'kysely';
import { queueOf } from '../../../shared/broker/topology';
import { redriveDeadLetters } from '../../../shared/dead-letters/redrive';
import { NOBODY } from '../../../shared/events/origin';
import { type TestContext, testContext } from '../../setup/context';

let ctx: TestContext;
let queue: string;
beforeEach(async () => {
  ctx = await testContext();
  queue = queueOf(ctx.config.events, 'audit');
});
afterEach(() => ctx.close());

const USERS = [1, 2, 3, 4, 5].map((n) => `01990000-0000-7000-8000-00000000000${n}`);

/** Two letters of each user. The older event of each died last, after those of all others. */
async function storeLetters(): Promise<void> {
  for (const sequence of ['0000000002', '0000000001']) {
    await sql`
      insert into dead_letters (id, fingerprint, queue, event, subject, error, attempts)
      select id, decode(md5(id::text), 'hex'), ${queue},
        jsonb_build_object('id', id, 'sequence', ${sequence}::text), subject, 'x', 6
      from unnest(${USERS.map(() => ctx.newId())}::uuid[], ${USERS}::uuid[]) as letter (id, subject)`.execute(
      ctx.db,
    );
  }
}
/** What is to be sent, as the relay takes it: who, and which event of theirs. */
async function dispatched(): Promise<[string, string][]> {
  const { rows } = await sql<{ subject: string; sequence: string }>`
    select subject, event ->> 'sequence' as sequence from dispatch where queue = ${queue}
    order by position`.execute(ctx.db);
  return rows.map(({ subject, sequence }) => [subject, sequence]);
}
async function audited(): Promise<unknown[]> {
  const rows = await ctx.db
    .selectFrom('audit_log')
    .select('details')
    .where('type', '=', 'dead_letters.redriven')
    .orderBy('event_id')
    .execute();
  return rows.map(({ details }) => details);
}
const redrive = (limits: { batchSize?: number; budgetMs?: number }) =>
  redriveDeadLetters(ctx, queue, NOBODY, limits);

test('a long queue goes in batches, each with an entry in the audit log; the events of a user stay in order', async () => {
  await storeLetters();
  expect(await redrive({ batchSize: 2 })).toBe(10);
  const sent = await dispatched();
  expect(sent).toHaveLength(10);
  for (const user of USERS)
    expect(sent.filter(([subject]) => subject === user).map(([, sequence]) => sequence)).toEqual([
      '0000000001',
      '0000000002',
    ]);
  expect(await audited()).toEqual([
    { queue, redriven: 4 },
    { queue, redriven: 4 },
    { queue, redriven: 2 },
    { queue, redriven: 0 },
  ]);
});

test('what a request has no time for stays for the next one, and the answer does not count it', async () => {
  await storeLetters();
  const counts: number[] = [];
  do counts.push(await redrive({ batchSize: 2, budgetMs: 0 }));
  while (counts.at(-1) !== 0);
  expect(counts).toEqual([4, 4, 2, 0]);
  expect(await dispatched()).toHaveLength(10);
});
