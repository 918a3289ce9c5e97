// Every minute, for most of that minute: takes messages from the queues and hands them to the consumer functions.
import { createBroker } from '../../shared/broker/connection';
import { readConfig } from '../../shared/config';
import { countDeliveries } from '../../shared/events/count-deliveries';
import { pollQueues } from '../../shared/events/poller';
import { createInvoke } from '../../shared/lambda/invoke';
import { createLog } from '../../shared/log';
import { emitMetrics } from '../../shared/metrics';

export async function handler(): Promise<void> {
  const config = readConfig();
  const log = createLog(config.logLevel);
  const broker = createBroker(config.broker.url, 'rollcall-poller', log);
  const { invoke, counts } = countDeliveries(createInvoke(config.lambda));
  await pollQueues({ config, broker, invoke, log }, config.poll.budgetMs);
  emitMetrics(config.metrics, {
    PollerRuns: 1,
    EventsHandled: counts.handled,
    EventsFailed: counts.failed,
    EventsDeadLettered: counts.deadLettered,
  });
}
