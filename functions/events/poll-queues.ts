// Every minute, for most of that minute: takes messages from the queues and hands them to the consumer functions.
import { createBroker } from '../../shared/broker/connection';
import { containerContext } from '../../shared/context';
import { measuredPoll } from '../../shared/events/measured-runs';
import { createInvoke } from '../../shared/lambda/invoke';

export async function handler(): Promise<void> {
  const ctx = containerContext();
  const broker = createBroker(ctx.config.broker.url, 'rollcall-poller', ctx.log);
  await measuredPoll({ ...ctx, broker, invoke: createInvoke(ctx.config.lambda) }, ctx.config.poll.budgetMs);
}
