import { setTimeout as wait } from 'node:timers/promises';
import { sql } from 'kysely';
import { during } from './injections';
import type { Miss, Row } from './rows';
import type { Scenario } from './scenario';

const TROUBLE_MS = 10_000;
/** From the end of the trouble to the next registration: a statement that is given up, and a new connection. */
const RECOVERY_MS = 10_000;
/** API Gateway and the functions give up after this. */
const ANSWER_MS = 10_000;

/**
 * A database that is away behind everything at once: functions, relay, poller and consumers. Requests may be refused
 * meanwhile; nothing is lost, and nothing that was answered with an error happens twice.
 */
export function databaseRows(times: number): Row[] {
  let endOld = () => {};
  return [
    trouble('database: silent connections', times, async ({ database }) => {
      // The server has a hundred places, and those of the last round would stay taken.
      endOld();
      endOld = database.silence();
      return async () => {};
    }),
    trouble('database: black hole', 1, async ({ database }) => {
      database.blackHole();
      await wait(TROUBLE_MS);
      return async () => database.heal();
    }),
    trouble('database: frozen', 1, async ({ servers }) => {
      servers.postgres.signal('SIGSTOP');
      await wait(TROUBLE_MS);
      return async () => servers.postgres.signal('SIGCONT');
    }),
    trouble('database: read-only', 1, async (scenario) => {
      await readOnly(scenario, 'on');
      await wait(TROUBLE_MS);
      return () => readOnly(scenario, 'off');
    }),
  ];
}

/** @param inject returns how to have it as it was */
function trouble(
  name: string,
  times: number,
  inject: (scenario: Scenario) => Promise<() => Promise<void>>,
): Row {
  return {
    name,
    options: { databaseThroughProxy: true },
    mayRefuse: true,
    run: async (scenario, { users }) => {
      const misses: Miss[] = [];
      await during(scenario, users, times, async () => {
        const mend = await inject(scenario);
        await mend();
        const [from, before] = [performance.now(), scenario.acknowledged.length];
        await scenario.until(() => scenario.acknowledged.length > before);
        const ms = performance.now() - from;
        if (ms > RECOVERY_MS)
          misses.push({ what: `back after ${(ms / 1000).toFixed(1)} s only`, isTiming: true });
      });
      return misses;
    },
    check: ({ latencies }) => {
      const late = latencies.filter((ms) => ms > ANSWER_MS).length;
      return late > 0 ? [{ what: `${late} answers after more than ${ANSWER_MS} ms`, isTiming: true }] : [];
    },
  };
}

/** As on a primary that was demoted: connections that are there refuse writes from their next transaction on. */
async function readOnly({ db }: Scenario, value: 'on' | 'off'): Promise<void> {
  await sql`alter system set default_transaction_read_only = ${sql.raw(value)}`.execute(db);
  await sql`select pg_reload_conf()`.execute(db);
}
