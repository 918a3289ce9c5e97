import { setTimeout as wait } from 'node:timers/promises';
import { sql } from 'kysely';
import { CONSUMER_NAMES, CONSUMERS, queueOf } from '../../shared/broker/topology';
import type { Scenario } from './scenario';

const DRAIN_MS = 200;

/** Registers so many users, and injects the fault so many times while that goes on. */
export async function during(
  scenario: Scenario,
  users: number,
  times: number,
  inject: (round: number) => Promise<void>,
): Promise<void> {
  const before = scenario.acknowledged.length;
  const registered = scenario.register(users);
  for (let round = 1; round <= times; round++) {
    await scenario.until(() => scenario.acknowledged.length - before >= (users * round) / (times + 1));
    await inject(round);
  }
  await registered;
}

/** Ends every connection to the scenario's database but our own. */
export async function killBackends({ db }: Scenario): Promise<void> {
  await sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`.execute(db);
}

/**
 * Leaves the exchange without a single queue, at one moment as seen by those who publish. One by one, an event could
 * reach some queues and miss others, and nobody would ever know.
 * @returns how to have it as it was
 */
export async function unbindEverything(scenario: Scenario): Promise<() => Promise<void>> {
  const { events } = scenario.config;
  const channel = await scenario.model.createChannel();
  const bindings: [queue: string, pattern: string][] = [[scenario.tap.queue, '#']];
  for (const name of CONSUMER_NAMES)
    for (const pattern of CONSUMERS[name]) bindings.push([queueOf(events, name), pattern]);
  const atOnce = async (change: (queue: string, pattern: string) => Promise<unknown>) => {
    const publishers = scenario.containers.filter(({ role }) => role !== 'poller');
    for (const container of publishers) container.freeze();
    // What they have written before is on its way through the proxy.
    await wait(DRAIN_MS);
    for (const [queue, pattern] of bindings) await change(queue, pattern);
    for (const container of publishers) container.thaw();
  };
  await atOnce((queue, pattern) => channel.unbindQueue(queue, events.exchange, pattern));
  return async () => {
    await atOnce((queue, pattern) => channel.bindQueue(queue, events.exchange, pattern));
    await channel.close();
  };
}
