import { createBroker } from '../../shared/broker/connection';
import { createContext, withLongTimeouts } from '../../shared/context/context';
import type { Invoke } from '../../shared/lambda/invoke';
import { measuredFollowUp, measuredPoll, measuredRelay } from '../../shared/ops/measured-runs';
import { purgeEvents } from '../../shared/ops/purge';
import type { PublishingContext } from '../../shared/outbox/publisher';
import { sendWebhooks } from '../../shared/webhook-delivery/send-webhooks';
import { resolveHost } from '../../shared/webhooks/resolve-host';
import { invokeInProcess } from './invoke-in-process';
import type { Part } from './settings';
import type { Task } from './task';

const HOUR_MS = 60 * 60 * 1000;

/**
 * The functions that EventBridge schedules in the cloud, for the parts of this process.
 * @param invoke calls consumers
 */
export function scheduledTasks(
  ctx: PublishingContext,
  parts: ReadonlySet<Part>,
  invoke: Invoke = invokeInProcess(ctx.config.lambda),
): { tasks: Task[]; close(): Promise<void> } {
  const { config, log } = ctx;
  // Connections of their own: who has waited in vain closes the connection, which would interrupt the others. The publisher waits
  // for half a second only.
  const relayBroker = createBroker(config.broker.url, 'rollcall-relay', log);
  const pollerBroker = createBroker(config.broker.url, 'rollcall-poller', log);
  // Its statements may take longer than all others.
  const purger = createContext(withLongTimeouts(config, config.purge.budgetMs), log);
  const sender = { ...ctx, resolveHost };
  const relay = { ...ctx, broker: relayBroker };
  const poller = { ...ctx, broker: pollerBroker, invoke };
  const all: Record<Part, Task | null> = {
    http: null,
    relay: { name: 'relay-outbox', run: (budgetMs, signal) => measuredRelay(relay, budgetMs, signal) },
    poller: { name: 'poll-queues', run: (budgetMs, signal) => measuredPoll(poller, budgetMs, signal) },
    webhooks: { name: 'send-webhooks', run: (budgetMs, signal) => sendWebhooks(sender, budgetMs, signal) },
    purge: {
      name: 'purge-events',
      run: (budgetMs, signal) => purgeEvents(purger, budgetMs, signal),
      restMs: HOUR_MS,
    },
    erasures: {
      name: 'follow-up-erasures',
      run: (budgetMs, signal) => measuredFollowUp(ctx, budgetMs, signal),
      restMs: HOUR_MS,
    },
  };
  return {
    tasks: [...parts].flatMap((part) => all[part] ?? []),
    close: async () => {
      await Promise.all([relayBroker.close(), pollerBroker.close()]);
      await purger.db.destroy();
    },
  };
}
