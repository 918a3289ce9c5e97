// `npm run worker`: relay, poller and consumers in one process that stays, for those who host without Lambda. The code
// is that of the functions; `dist/worker/index.cjs`, this file and all it needs, is what the container image runs.
import { existsSync } from 'node:fs';
import { createBroker } from '../shared/broker/connection';
import { CONSUMER_NAMES } from '../shared/broker/topology';
import { createContext, patient } from '../shared/context/context';
import { measuredPoll, measuredRelay } from '../shared/ops/measured-runs';
import { purgeEvents } from '../shared/ops/purge';
import { publishingContext } from '../shared/outbox/publisher';
import { sendWebhooks } from '../shared/webhook-delivery/send-webhooks';
import { resolveHost } from '../shared/webhooks/resolve-host';
import { explain } from './explain';
import { invokeInProcess } from './worker/invoke-in-process';
import { readWorkerPort, serveLiveness } from './worker/liveness';
import { stopSignal } from './worker/stop-signal';
import { repeat, type Task } from './worker/task';
import { untilDatabaseAnswers } from './worker/until-database-answers';

const HOUR_MS = 60 * 60 * 1000;

async function main(): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env');
  const livenessPort = readWorkerPort(process.env);
  // All consumers, the relay and who looks at its backlog work side by side: with the one connection that is right
  // for a Lambda container they would wait for each other.
  process.env['DATABASE_POOL_SIZE'] ||= String(CONSUMER_NAMES.length + 2);
  const ctx = publishingContext();
  const { config, log } = ctx;
  // One of its own: whoever has trouble gives up the connection, in the midst of the other's work.
  const pollerBroker = createBroker(config.broker.url, 'rollcall-poller', log);
  // Its statements may take longer than those of all others.
  const purger = createContext(patient(config, config.purge.budgetMs), log);
  const sender = { ...ctx, resolveHost };
  const poller = { ...ctx, broker: pollerBroker, invoke: invokeInProcess(config.lambda) };

  const tasks: Task[] = [
    { name: 'relay-outbox', run: (budgetMs, signal) => measuredRelay(ctx, budgetMs, signal) },
    { name: 'poll-queues', run: (budgetMs, signal) => measuredPoll(poller, budgetMs, signal) },
    { name: 'send-webhooks', run: (budgetMs, signal) => sendWebhooks(sender, budgetMs, signal) },
    {
      name: 'purge-events',
      run: (budgetMs, signal) => purgeEvents(purger, budgetMs, signal),
      restMs: HOUR_MS,
    },
  ];

  const signal = stopSignal(log);
  const liveness = await serveLiveness(livenessPort, tasks);
  await untilDatabaseAnswers(ctx, signal);
  if (!signal.aborted) log.info('The worker runs', { tasks: tasks.map(({ name }) => name) });
  await Promise.all(tasks.map((task) => repeat(task, log, signal)));
  liveness?.close();
  await pollerBroker.close();
  await ctx.broker.close();
  await Promise.all([ctx.db.destroy(), purger.db.destroy()]);
  log.info('The worker has stopped');
}

main().then(
  // Not when the last handle is gone: nobody promises that every timer of every driver has been taken down.
  () => process.exit(0),
  (error: unknown) => {
    console.error(explain(error));
    process.exit(1);
  },
);
