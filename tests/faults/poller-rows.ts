import { setTimeout as wait } from 'node:timers/promises';
import { sql } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { CONSUMER_NAMES, CONSUMERS, queueOf } from '../../shared/broker/topology';
import { isAmong } from './chance';
import type { Miss, Row, Size } from './rows';
import type { Scenario } from './scenario';

/** What hangs is a dead letter after two retries: each attempt takes a time-out, and there are many of them. */
const HANGING_RETRIES = '200,400';
const HANG_TIMEOUT_MS = 240_000;

/** Pollers that change hands, and functions that never come back. */
export function pollerRows({ users }: Size): Row[] {
  const isFull = users >= 10_000;
  const handovers = isFull ? 50 : 5;
  // Of a hundred events of a short run, at least one hangs in all but one run of four thousand.
  const hangPercent = isFull ? 1 : 8;
  const hanging = (name: string, poller: Row['options']): Row => ({
    name: `handlers: ${hangPercent} % hang, ${name}`,
    options: { ...poller, environment: { ...poller?.environment, RETRY_DELAYS_MS: HANGING_RETRIES } },
    run: async (scenario, size) => {
      await scenario.register(size.users);
      await untilAllAreThrough(scenario);
      return [];
    },
    check: (scenario) => checkHanging(scenario, hangPercent),
    mayBury: true,
  });
  return [
    ...['classic', 'quorum'].map((QUEUE_TYPE) => ({
      name: `pollers: ${handovers} handovers, ${QUEUE_TYPE}`,
      options: {
        pollers: 2,
        environment: { QUEUE_TYPE, POLL_BATCH_SIZE: '10' },
        settings: { poller: { runMs: 1_000, callDelayMs: 20 } },
      },
      run: async (scenario: Scenario) => {
        await scenario.register(users);
        await scenario.settle();
        const before = scenario.handovers;
        // A backlog in which one user's events are near each other, all the time.
        while (scenario.handovers - before < handovers) {
          await changeUsers(scenario);
          await scenario.settle();
        }
        return [];
      },
    })),
    hanging('worker', {
      environment: { HANDLER_TIMEOUT_MS: '500' },
      settings: { poller: { hangPercent } },
    }),
    hanging('Lambda', {
      pollers: 2,
      // The function is killed before any time-out of its own.
      environment: { HANDLER_TIMEOUT_MS: '60000' },
      settings: { poller: { hangPercent, functionTimeoutMs: 1_000, runMs: 3_000 } },
    }),
  ];
}

const CHANGED_USERS = 500;
const CHANGES = 20;
const CHANGED_AT_ONCE = 50;

/** Appends so many events of each of some users, in turn, as changes of theirs do. */
async function changeUsers({ db }: Scenario): Promise<void> {
  const ids = Array.from({ length: CHANGED_USERS * CHANGES }, () => uuidv7());
  await db.transaction().execute(async (tx) => {
    await sql`
      create temporary table changed on commit drop as
      select id, version, row_number() over (order by id) / ${CHANGED_AT_ONCE} as part from users
      limit ${CHANGED_USERS}`.execute(tx);
    await sql`
      with appended as (
        insert into events (id, type, subject, sequence, time, data)
        select (${ids}::uuid[])[row_number() over (order by part, change, id)], 'user.password_changed', id, lpad((version + change)::text, 10, '0'), now(),
          jsonb_build_object('id', id)
        from changed, generate_series(1, ${CHANGES}::int) as change
        order by part, change, id
        returning id, subject, position
      )
      insert into dispatch (event_id, subject) select id, subject from appended order by position`.execute(
      tx,
    );
    await sql`
      update users set version = users.version + ${CHANGES} from changed where users.id = changed.id`.execute(
      tx,
    );
  });
}

/** What a consumer gets, by whether it was handled and whether it is a dead letter. */
async function readDeliveries({ db, config }: Scenario, consumer: (typeof CONSUMER_NAMES)[number]) {
  const patterns: readonly string[] = CONSUMERS[consumer];
  const { rows } = await sql<{ id: string; handled: boolean; dead: number; attempts: number | null }>`
    select events.id, inbox.event_id is not null as handled, count(dead_letters.id)::int as dead,
      max(dead_letters.attempts) as attempts
    from events
    left join inbox on inbox.event_id = events.id and inbox.consumer = ${consumer}
    left join dead_letters on dead_letters.message_id = events.id::text
      and dead_letters.queue = ${queueOf(config.events, consumer)}
    where ${patterns.includes('#')} or events.type = any(${[...patterns]}::text[])
    group by events.id, inbox.event_id`.execute(db);
  return rows;
}

async function untilAllAreThrough(scenario: Scenario): Promise<void> {
  const end = performance.now() + HANG_TIMEOUT_MS + scenario.acknowledged.length * 60;
  for (const consumer of CONSUMER_NAMES) {
    while (performance.now() < end) {
      const rows = await readDeliveries(scenario, consumer);
      if (rows.every(({ handled, dead }) => handled || dead > 0)) break;
      await wait(1_000);
    }
  }
}

/** In each consumer exactly what hangs is dead, after exactly its attempts, and all others are handled. */
async function checkHanging(scenario: Scenario, percent: number): Promise<Miss[]> {
  const attempts = scenario.config.events.retryDelaysMs.length + 1;
  const misses: Miss[] = [];
  for (const consumer of CONSUMER_NAMES) {
    const rows = await readDeliveries(scenario, consumer);
    const hang = rows.filter(({ id }) => isAmong(id, percent));
    const wrong = hang.filter((row) => row.handled || row.dead !== 1 || row.attempts !== attempts).length;
    const stopped = rows.filter((row) => !isAmong(row.id, percent) && (!row.handled || row.dead > 0)).length;
    if (hang.length === 0) misses.push({ what: `${consumer}: nothing hung` });
    if (wrong > 0)
      misses.push({ what: `${consumer}: ${wrong} that hang are no dead letters after ${attempts} attempts` });
    if (stopped > 0) misses.push({ what: `${consumer}: ${stopped} others were not handled` });
  }
  return misses;
}
