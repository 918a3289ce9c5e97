// Every minute, for most of that minute: takes messages from the queues and hands them to the consumer functions.
import { createBroker } from '../../shared/broker/connection';
import { readConfig } from '../../shared/config';
import { pollQueues } from '../../shared/events/poller';
import { createInvoke } from '../../shared/lambda/invoke';
import { createLog } from '../../shared/log';
import { emitMetrics } from '../../shared/metrics';

export async function handler(): Promise<void> {
  const config = readConfig();
  const log = createLog(config.logLevel);
  const broker = createBroker(config.broker.url, 'rollcall-poller', log);
  await pollQueues({ config, broker, invoke: createInvoke(config.lambda), log }, config.poll.budgetMs);
  emitMetrics(config.metrics, { PollerRuns: 1 });
}
