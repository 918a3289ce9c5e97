import { setTimeout as wait } from 'node:timers/promises';
import { CONSUMER_NAMES, queueOf } from '../../shared/broker/topology';
import type { Row } from './rows';
import type { Scenario } from './scenario';

const TROUBLE_MS = 10_000;
const MIRROR = 'faults_mirror';

/** A broker on which exchanges are not as they should be: nothing counts as sent that has not reached every consumer. */
export function topologyRows(): Row[] {
  return [
    {
      name: 'broker: exchange of another type',
      run: async (scenario, { users }) => {
        const before = Math.ceil(users / 2);
        await scenario.register(before);
        const { exchange } = scenario.config.events;
        await replaceExchange(scenario, 'direct');
        const registered = scenario.register(users - before);
        await wait(TROUBLE_MS);
        await registered;
        const channel = await scenario.model.createChannel();
        await channel.deleteExchange(exchange);
        // The tap is no consumer of ours: nobody else binds it again.
        await channel.assertExchange(exchange, 'topic');
        await channel.bindQueue(scenario.tap.queue, exchange, '#');
        await channel.close();
        return [];
      },
      check: ({ logged }) =>
        logged.some(({ message }) => String(message).includes('exists with another type'))
          ? []
          : [{ what: 'the log says nothing of another type' }],
    },
    {
      name: 'broker: mirror without permission',
      options: {
        environment: {
          EVENT_MIRRORS: JSON.stringify([{ format: 'typed', exchange: MIRROR, queue: MIRROR }]),
        },
      },
      run: async (scenario, { users }) => {
        const { rabbit } = scenario.servers;
        const before = Math.ceil(users / 2);
        await scenario.register(before);
        await rabbit.ctl('set_permissions', 'guest', '.*', `^(?!${MIRROR}$)`, '.*');
        await scenario.proxy.stop();
        await scenario.proxy.start();
        await Promise.all([scenario.register(users - before), wait(TROUBLE_MS)]);
        await rabbit.ctl('set_permissions', 'guest', '.*', '.*', '.*');
        return [];
      },
      check: async ({ logged, model, acknowledged }) => {
        const channel = await model.createChannel();
        const { messageCount } = await channel.checkQueue(MIRROR);
        await channel.deleteQueue(MIRROR);
        await channel.deleteExchange(MIRROR);
        await channel.close();
        const told = logged.some(({ reason }) => String(reason).includes(`exchange '${MIRROR}'`));
        return [
          ...(told ? [] : [{ what: 'the log does not name the mirror' }]),
          ...(messageCount < acknowledged.length ? [{ what: `the mirror has ${messageCount} copies` }] : []),
        ];
      },
    },
  ];
}

/** Cuts all connections for it: whoever has seen the right exchange on theirs relies on that. */
async function replaceExchange(scenario: Scenario, type: string): Promise<void> {
  const { events } = scenario.config;
  await scenario.proxy.stop();
  const channel = await scenario.model.createChannel();
  await channel.deleteExchange(events.exchange);
  await channel.assertExchange(events.exchange, type);
  // Of a direct exchange, those get their events that are bound by the whole name, and `mandatory` returns none.
  for (const consumer of CONSUMER_NAMES)
    await channel.bindQueue(queueOf(events, consumer), events.exchange, 'user.created');
  await channel.unbindQueue(queueOf(events, 'audit'), events.exchange, 'user.created');
  await channel.close();
  await scenario.proxy.start();
}
