import { setTimeout as wait } from 'node:timers/promises';
import type { Row } from './rows';
import type { Scenario } from './scenario';

const TROUBLE_MS = 10_000;
/** Four that serve, a relay and a poller: each tells the same trouble once a minute. */
const CONTAINERS = 6;

/** A broker that was set up wrong, or is full, for a while: nothing is lost, and the log says what to do. */
export function troubleRows(): Row[] {
  return [
    trouble('broker: disk alarm', ['free disk space'], async ({ servers }) => {
      await servers.rabbit.ctl('set_disk_free_limit', '999999GB');
      return () => servers.rabbit.ctl('set_disk_free_limit', '50MB');
    }),
    trouble('broker: no access', ['rejects the virtual host'], async (scenario) => {
      await scenario.servers.rabbit.ctl('clear_permissions', 'guest');
      await cutConnections(scenario);
      return () => permit(scenario, '.*', '.*', '.*');
    }),
    // What has been declared before is used as it is: nothing stops.
    denied('configure', [], '^$', '.*', '.*'),
    denied('write', ['write on the exchange'], '.*', '^$', '.*'),
    denied('read', ['read on the queue'], '.*', '.*', '^$'),
    // All that declaring takes, and no more.
    denied('consume', ['read on the queue'], '.*', '.*', '(user_events|retry\\.\\d+|dead)$'),
    {
      name: 'broker: least permissions',
      run: async (scenario, { users }) => {
        // Those of docs/events.md.
        const { exchange, queuePrefix } = scenario.config.events;
        const ours = `^(${exchange}|${queuePrefix}\\..*)$`;
        const oursAndDefault = `^(${exchange}|${queuePrefix}\\..*|amq\\.default)$`;
        await permit(scenario, ours, oursAndDefault, ours);
        await cutConnections(scenario);
        await scenario.register(users);
        await scenario.settle();
        await permit(scenario, '.*', '.*', '.*');
        return [];
      },
      check: ({ logged }) =>
        logged.some(({ message }) => String(message).includes('denies the permission'))
          ? [{ what: 'they are too few' }]
          : [],
    },
  ];
}

/** @param inject returns how to have it as it was @param told what the log has to say */
function trouble(
  name: string,
  told: string[],
  inject: (scenario: Scenario) => Promise<() => Promise<void>>,
): Row {
  return {
    name,
    run: async (scenario, { users }) => {
      const before = Math.ceil(users / 2);
      await scenario.register(before);
      const mend = await inject(scenario);
      await Promise.all([scenario.register(users - before), wait(TROUBLE_MS)]);
      await mend();
      return [];
    },
    check: ({ logged }) =>
      told.flatMap((text) => {
        const lines = logged.filter(({ message }) => String(message).includes(text));
        if (lines.length === 0) return [{ what: `the log says nothing of "${text}"` }];
        return lines.length > CONTAINERS ? [{ what: `the log says "${text}" ${lines.length} times` }] : [];
      }),
  };
}

function denied(permission: string, told: string[], configure: string, write: string, read: string): Row {
  return trouble(`broker: ${permission} denied`, told, async (scenario) => {
    await permit(scenario, configure, write, read);
    await cutConnections(scenario);
    return () => permit(scenario, '.*', '.*', '.*');
  });
}

async function permit({ servers }: Scenario, configure: string, write: string, read: string): Promise<void> {
  await servers.rabbit.ctl('set_permissions', 'guest', configure, write, read);
}

/** RabbitMQ remembers for a channel what its user may do. */
async function cutConnections({ proxy }: Scenario): Promise<void> {
  await proxy.stop();
  await proxy.start();
}
