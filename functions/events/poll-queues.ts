// Every minute, for most of that minute: fetches messages from the queues and invokes the consumer functions.
import { createBroker } from '../../shared/broker/connection';
import { containerContext } from '../../shared/context/context';
import { createInvoke } from '../../shared/lambda/invoke';
import { measuredPoll } from '../../shared/ops/measured-runs';
import type { PollContext } from '../../shared/poller/types';

let container: PollContext | undefined;

/** One per container, which reuses its broker connection and the declared topology. */
function pollContext(): PollContext {
  if (!container) {
    const ctx = containerContext();
    const broker = createBroker(ctx.config.broker.url, 'rollcall-poller', ctx.log);
    container = { ...ctx, broker, invoke: createInvoke(ctx.config.lambda) };
  }
  return container;
}

export async function handler(): Promise<void> {
  const ctx = pollContext();
  await measuredPoll(ctx, ctx.config.poll.budgetMs);
}
