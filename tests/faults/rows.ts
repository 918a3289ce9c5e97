import { setTimeout as wait } from 'node:timers/promises';
import { percentile } from '../../bench/statistics';
import type { ContainerSettings, Role } from './container';
import type { CrashPoint } from './crash-points';
import { databaseRows } from './database-rows';
import { buriedThenRedriven, checkPoison } from './dead-letter-rows';
import type { Outcome } from './effects';
import { erasureRows } from './erasure-rows';
import { during, killBackends, unbindEverything } from './injections';
import { pollerRows } from './poller-rows';
import { replayedMeanwhile } from './replay-rows';
import type { Scenario, ScenarioOptions } from './scenario';
import { topologyRows } from './topology-rows';
import { troubleRows } from './trouble-rows';

export interface Size {
  users: number;
  /** How often something is killed, cut or dropped. */
  times: number;
  blackHoleMs: number;
  freezeMs: number;
  queueType: string;
}

/** A bar that was missed. One of time counts in a full run only: a short one says little, and a busy machine less. */
export interface Miss {
  what: string;
  isTiming?: true;
}

/** A fault of "What it must survive": how it is injected, and what has to hold beyond what holds for all. */
export interface Row {
  name: string;
  options?: ScenarioOptions;
  /** Has the users registered, with the fault meanwhile. @returns what should not have happened */
  run(scenario: Scenario, size: Size): Promise<Miss[]>;
  /** After everything has settled. @param normal the outcome without a fault, in the same run of the suite */
  check?(scenario: Scenario, outcome: Outcome, normal: Outcome | undefined): Miss[] | Promise<Miss[]>;
  /** A registration may be answered with 503 while the database is gone. */
  mayRefuse?: true;
  /** Dead letters are what this row is about. */
  mayBury?: true;
}

/** The inline deadline of the default configuration. */
const DEADLINE_MS = 500;
const PAUSE_MS = 5_000;
const ALARM_MS = 10_000;

export function rows(size: Size): Row[] {
  const { users: count, times, blackHoleMs } = size;
  // So that a short run has some, too.
  const isFull = count >= 10_000;
  const poisonPercent = isFull ? 1 : 10;
  // A process dies in its first so many passings of a point: soon enough for a short run.
  const within = isFull ? 40 : 10;
  // A short run has few events, whose share of duplicates is a matter of chance.
  const duplicateShare = isFull ? 0.15 : 0.05;
  const repeatedly = (name: string, inject: (scenario: Scenario, round: number) => Promise<void>): Row => ({
    name,
    run: async (scenario, { users }) => {
      await during(scenario, users, times, (round) => inject(scenario, round));
      return [];
    },
  });
  const once = (name: string, inject: (scenario: Scenario, size: Size) => Promise<Miss[]>): Row => ({
    name,
    run: async (scenario, size) => {
      let misses: Miss[] = [];
      await during(scenario, size.users, 1, async () => {
        misses = await inject(scenario, size);
      });
      return misses;
    },
  });
  const always = (
    name: string,
    settings: Partial<Record<Role, Partial<ContainerSettings>>> = {},
    environment: Record<string, string> = {},
  ): Row => ({
    name,
    options: { settings, environment },
    run: async (scenario, { users }) => {
      await scenario.register(users);
      return [];
    },
  });
  const killed = (role: Role, point: CrashPoint, name: string, row: Row = always('')): Row => ({
    ...row,
    name: `${role} killed ${name}`,
    // Each of the four API containers counts for itself.
    options: {
      ...row.options,
      crashes: { [role]: { point, times: role === 'api' ? Math.ceil(times / 4) : times, within } },
    },
    run: async (scenario, size) => {
      const misses = await row.run(scenario, size);
      // A poller that takes many events at once may not have passed its point often enough.
      for (let passings = 0; passings < within && !hasKilled(scenario); passings++) {
        await scenario.settle();
        if (!hasKilled(scenario)) await scenario.register(1);
      }
      return misses;
    },
    check: (scenario) => (hasKilled(scenario) ? [] : [{ what: 'nothing was killed' }]),
  });
  // Nobody has the time to publish inline, so that the relay has everything to do.
  const allByRelay = always('', {}, { PUBLISH_DEADLINE_MS: '1' });

  return [
    always('nothing'),
    repeatedly('broker: kill -9', async ({ servers }) => {
      await servers.rabbit.kill();
      await servers.rabbit.start();
    }),
    once('broker: black hole', async (scenario) => {
      const before = scenario.latencies.length;
      scenario.proxy.blackHole();
      await wait(blackHoleMs);
      scenario.proxy.heal();
      return checkBlackHole(scenario.latencies.slice(before), blackHoleMs);
    }),
    repeatedly('broker: confirms dropped', async ({ proxy }) => {
      proxy.muteServer();
      await wait(DEADLINE_MS);
      proxy.heal();
    }),
    repeatedly('broker: connections cut', async ({ proxy }) => {
      await proxy.stop();
      await proxy.start();
    }),
    once('broker: 200 ms away', async ({ proxy }) => {
      proxy.delay(200);
      await wait(ALARM_MS);
      proxy.heal();
      return [];
    }),
    once('broker: memory alarm', async ({ servers }) => {
      await servers.rabbit.ctl('set_vm_memory_high_watermark', '0');
      await wait(ALARM_MS);
      await servers.rabbit.ctl('set_vm_memory_high_watermark', '0.6');
      return [];
    }),
    once('broker: a full queue', async ({ model, config: { events } }) => {
      const channel = await model.createChannel();
      const full = `${events.queuePrefix}.full`;
      await channel.assertQueue(full, { arguments: { 'x-max-length': 100, 'x-overflow': 'reject-publish' } });
      await channel.bindQueue(full, events.exchange, '#');
      await wait(ALARM_MS);
      await channel.deleteQueue(full);
      return [];
    }),
    once('broker: nothing bound', async (scenario) => {
      const bindAgain = await unbindEverything(scenario);
      await wait(ALARM_MS);
      await bindAgain();
      return [];
    }),
    ...troubleRows(),
    ...topologyRows(),
    killed('api', 'committed', 'after the commit'),
    killed('api', 'sent', 'after the publish'),
    killed('api', 'confirmed', 'before the mark'),
    killed('api', 'marked', 'before the answer'),
    killed('relay', 'sent', 'after the publish', allByRelay),
    killed('relay', 'confirmed', 'before the mark', allByRelay),
    killed('poller', 'handled', 'after the handler'),
    killed('poller', 'retried', 'after the retry', always('', { poller: { flakyPercent: 20 } })),
    killed('poller', 'acknowledging', 'before the ack'),
    {
      ...repeatedly('database: restarts, kills', async (scenario, round) => {
        if (round % 10 === 1) await scenario.servers.postgres.restart();
        else await killBackends(scenario);
      }),
      mayRefuse: true,
    },
    ...databaseRows(times),
    {
      name: 'wire: 20 % duplicates',
      run: async (scenario, { users }) => {
        await scenario.tap.publishAgain(20);
        await scenario.register(users);
        return [];
      },
      check: ({ tap }, { events }) =>
        tap.duplicates() > events * duplicateShare ? [] : [{ what: `only ${tap.duplicates()} duplicates` }],
    },
    ...erasureRows(times),
    always('handlers: 20 % fail once', { poller: { flakyPercent: 20 } }),
    {
      ...always(`handlers: ${poisonPercent} % poison`, { poller: { poisonPercent } }),
      mayBury: true,
      check: (scenario, outcome, normal) => checkPoison(scenario, poisonPercent, outcome, normal),
    },
    {
      name: '10,000 redriven at once',
      options: { environment: { RETRY_DELAYS_MS: '100' }, settings: { poller: { failsEverything: true } } },
      run: buriedThenRedriven,
    },
    killed('relay', 'confirmed', 'during replays', {
      name: '',
      options: { environment: { RELAY_BATCH_SIZE: '20' } },
      run: replayedMeanwhile,
    }),
    ...pollerRows(size),
    once('containers frozen', async (scenario, { freezeMs }) => {
      const frozen = (['api', 'relay', 'poller'] as const).map((role) => scenario.container(role));
      for (const container of frozen) container.freeze();
      await wait(freezeMs);
      for (const container of frozen) container.thaw();
      return [];
    }),
    always('clocks 10 minutes off', {
      api: { clockOffsetMs: 600_000 },
      relay: { clockOffsetMs: -600_000 },
      poller: { clockOffsetMs: -600_000 },
    }),
  ];
}

const hasKilled = ({ containers }: Scenario) => containers.some((container) => container.kills > 0);

/** Deadline + 100 ms more than usual at the most, and not for everyone: one try per pause in each container. */
function checkBlackHole(latencies: number[], blackHoleMs: number): Miss[] {
  const sorted = [...latencies].sort((a, b) => a - b);
  const usual = percentile(sorted, 0.5);
  const worst = sorted.at(-1) ?? 0;
  const late = sorted.filter((ms) => ms > usual + DEADLINE_MS / 2).length;
  const allowed = 4 * (1 + Math.ceil(blackHoleMs / PAUSE_MS));
  const misses: Miss[] = [];
  if (worst > usual + DEADLINE_MS + 100)
    misses.push({ what: `${Math.round(worst - usual)} ms more than usual`, isTiming: true });
  if (late > allowed) misses.push({ what: `${late} of ${sorted.length} paid the deadline`, isTiming: true });
  return misses;
}
