import { setTimeout as wait } from 'node:timers/promises';
import { connect } from 'amqplib';
import { sql } from 'kysely';
import { POLLED_QUEUES, queueOf } from '../../shared/broker/topology';
import { Holder } from './holder';
import { during, killBackends } from './injections';
import type { Miss, Row } from './rows';
import type { Scenario } from './scenario';

/** Users who are going to be erased have names that begin with this. */
export const TO_ERASE = 'gone_';
const AWAY_MS = 1_000;
const TIMEOUT_MS = 240_000;

/** Every tenth user is erased again, while broker, data holders and database fail in turn. */
export function erasureRows(times: number): Row[] {
  const holders: Holder[] = [];
  return [
    {
      name: 'erasures: broker, holders, database fail',
      options: { settings: { api: { erasePercent: 10 } } },
      mayRefuse: true,
      run: async (scenario, { users }) => {
        holders.splice(0, holders.length, ...(await openHolders(scenario)));
        const [, , archive] = holders;
        const faults = [
          async () => {
            await scenario.servers.rabbit.kill();
            await scenario.servers.rabbit.start();
          },
          () => killBackends(scenario),
          async () => {
            await archive?.leave();
            await wait(AWAY_MS);
            await archive?.comeBack();
          },
        ];
        await during(
          scenario,
          users,
          Math.max(times, faults.length),
          (round) => faults[round % 3]?.() ?? wait(0),
        );
        await untilAnswered(scenario);
        return [];
      },
      check: async (scenario) => {
        const misses = await checkErasures(scenario, holders);
        for (const holder of holders) await holder.close();
        return misses;
      },
    },
  ];
}

/** One answers once, one twice, and one is away at times. */
async function openHolders({ db, config, servers }: Scenario): Promise<Holder[]> {
  const opened = [
    new Holder('crm', servers.rabbit.url, config.events),
    new Holder('billing', servers.rabbit.url, config.events, 2),
    new Holder('archive', servers.rabbit.url, config.events),
  ];
  for (const holder of opened) {
    await holder.open();
    await sql`
      insert into data_holders (name, deadline_seconds, queue, created_at, updated_at)
      values (${holder.name}, 86400, ${holder.queue}, now(), now())`.execute(db);
  }
  return opened;
}

async function untilAnswered({ db }: Scenario): Promise<void> {
  const end = performance.now() + TIMEOUT_MS;
  while (performance.now() < end) {
    const { rows } = await sql<{ open: number }>`
      select count(*)::int as open from erasure_cases where completed_at is null`.execute(db);
    if (rows[0]?.open === 0) return;
    await wait(200);
  }
}

async function checkErasures(scenario: Scenario, holders: Holder[]): Promise<Miss[]> {
  const { rows } = await sql<{ id: string; completed_at: Date | null; completions: number; answers: number }>`
    select id, completed_at,
      (select count(*)::int from events where type = 'user.erasure_completed' and subject = user_id) as completions,
      (select count(received_at)::int from erasure_receipts where case_id = id) as answers
    from erasure_cases`.execute(scenario.db);
  const misses: Miss[] = [];
  const expect = (what: string, count: number) => {
    if (count > 0) misses.push({ what: `${count} ${what}` });
  };
  const isEarly = (id: string, completedAt: Date | null) =>
    holders.some(({ answered }) => {
      const sentAt = answered.get(id);
      return completedAt !== null && (!sentAt || sentAt > completedAt);
    });
  if (rows.length === 0) misses.push({ what: 'nobody was erased' });
  expect('cases are open', rows.filter((row) => row.completed_at === null).length);
  expect('cases lack a receipt', rows.filter(({ answers }) => answers !== holders.length).length);
  expect('cases were not completed once', rows.filter(({ completions }) => completions !== 1).length);
  expect('cases were completed early', rows.filter((row) => isEarly(row.id, row.completed_at)).length);
  expect(
    'receipts were refused',
    await count(scenario, sql`select from dead_letters where queue like '%.receipts'`),
  );
  expect(
    'users were not erased',
    await count(scenario, sql`select from users where username like ${`${TO_ERASE}%`}`),
  );
  for (const table of await tablesOf(scenario))
    expect(
      `rows of ${table} say who it was`,
      await count(
        scenario,
        sql`select from ${sql.table(table)} as held where held::text like ${`%${TO_ERASE}%`}`,
      ),
    );
  // The scenario's own connection has not survived the broker.
  const model = await connect(scenario.servers.rabbit.url);
  const channel = await model.createChannel();
  for (const name of POLLED_QUEUES) {
    const { messageCount } = await channel.checkQueue(queueOf(scenario.config.events, name));
    expect(`messages are left in the queue of ${name}`, messageCount);
  }
  await model.close();
  return misses;
}

async function tablesOf({ db }: Scenario): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select table_name::text as name from information_schema.tables
    where table_schema = 'public' and table_type = 'BASE TABLE'`.execute(db);
  return rows.map(({ name }) => name);
}

async function count({ db }: Scenario, query: ReturnType<typeof sql>): Promise<number> {
  const { rows } = await sql<{
    count: number;
  }>`select count(*)::int as count from (${query}) as found`.execute(db);
  return rows[0]?.count ?? 0;
}
