// The module that `npm start` bundles and runs: the HTTP functions, and what works in the background.
import { answer } from '../scripts/serve/answer';
import { createHashing } from '../scripts/serve/hashing-threads';
import { invokeInProcess } from '../scripts/serve/invoke-in-process';
import { PARTS, type Part } from '../scripts/serve/settings';
import { repeat } from '../scripts/serve/task';
import { scheduledTasks } from '../scripts/serve/tasks';
import { publishInBackground, publishingContext } from '../shared/outbox/publisher';
import { useHashing } from '../shared/passwords/hashing';
import { CONSUMER_FAULTS, type ConsumerFault, consumerFaults } from './consumer-faults';

export { answer, CONSUMER_FAULTS };

export interface Service {
  /** Finishes the current work in the background and starts no more. */
  stopTasks(): Promise<void>;
  /** Injects a fault, for the console. */
  inject(fault: ConsumerFault): Promise<void>;
  /** Closes connections, when nothing uses them any more. */
  close(): Promise<void>;
}

/** Runs relay, poller, consumers, webhooks and purge, as `npm run serve` does. */
export function startService(): Service {
  const hashing = createHashing();
  useHashing(hashing);
  const ctx = publishingContext();
  const publisher = publishInBackground(ctx.publisher);
  ctx.publisher = publisher;
  const faults = consumerFaults(ctx, invokeInProcess(ctx.config.lambda));
  const { tasks, close } = scheduledTasks(ctx, new Set<Part>(PARTS), faults.invoke);
  const stopping = new AbortController();
  const running = Promise.all(tasks.map((task) => repeat(task, ctx.log, stopping.signal)));
  return {
    inject: faults.inject,
    stopTasks: async () => {
      stopping.abort();
      await running;
      await publisher.settled();
      await close();
    },
    close: async () => {
      await publisher.settled();
      await hashing.close();
      await ctx.broker.close();
      await ctx.db.destroy();
    },
  };
}
