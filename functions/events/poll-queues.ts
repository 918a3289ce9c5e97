// Every minute, for most of that minute: takes messages from the queues and hands them to the consumer functions.
import { createBroker } from '../../shared/broker/connection';
import { readConfig } from '../../shared/config';
import { measuredPoll } from '../../shared/events/measured-runs';
import { createInvoke } from '../../shared/lambda/invoke';
import { createLog } from '../../shared/log';

export async function handler(): Promise<void> {
  const config = readConfig();
  const log = createLog(config.logLevel);
  const broker = createBroker(config.broker.url, 'rollcall-poller', log);
  await measuredPoll({ config, broker, invoke: createInvoke(config.lambda), log }, config.poll.budgetMs);
}
