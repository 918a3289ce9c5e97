import { type QueueDepth, queueDepths } from '../broker/queue-depths';
import {
  CONSUMER_NAMES,
  POLLED_QUEUES,
  type PolledQueue,
  queueOf,
  retryExchangeOf,
} from '../broker/topology';
import { countDeadLetters, countRetrying } from '../event-operations/queue-count-store';
import type { BrokerContext } from '../outbox/publisher';
import { within } from '../within';
import { shareLook } from './share-look';

const LOOK_TIMEOUT_MS = 2_000;

export interface Queues {
  /** `down`: it does not answer within two seconds, and the queues are null. */
  broker: 'up' | 'blocked' | 'down';
  /** Of the consumers, and of the dead letters on their way into the database. */
  queues: (QueueDepth & { consumer: PolledQueue; retry: number })[] | null;
  /** Where failed events of all consumers wait for their next attempt, by delay. */
  retryQueues: { name: string; delayMs: number; ready: number }[] | null;
  /** In the database. Stops counting at 10,000, like `retry`. */
  deadLetters: number;
}

/**
 * How much waits where. Asks broker and database at once, the broker for two seconds at most; the answer may be a second
 * old.
 */
export const listQueues = shareLook(async (ctx: BrokerContext): Promise<Queues> => {
  const { events } = ctx.config;
  const delays = events.retryDelaysMs.map((delayMs) => ({ name: retryExchangeOf(events, delayMs), delayMs }));
  const names = [...POLLED_QUEUES.map((name) => queueOf(events, name)), ...delays.map(({ name }) => name)];
  const [asked, retrying, deadLetters] = await Promise.all([
    askBroker(ctx, names),
    countRetrying(ctx.db, [...CONSUMER_NAMES]),
    countDeadLetters(ctx.db),
  ]);
  if (!asked) return { broker: 'down', queues: null, retryQueues: null, deadLetters };
  const depths = new Map(asked.depths.map((depth) => [depth.name, depth]));
  return {
    broker: asked.broker,
    queues: POLLED_QUEUES.flatMap((consumer) => {
      const depth = depths.get(queueOf(events, consumer));
      return depth ? [{ ...depth, consumer, retry: retrying.get(consumer) ?? 0 }] : [];
    }),
    retryQueues: delays.flatMap((queue) => {
      const depth = depths.get(queue.name);
      return depth ? [{ ...queue, ready: depth.ready }] : [];
    }),
    deadLetters,
  };
});

/** @returns null if the broker does not answer in time */
async function askBroker(ctx: BrokerContext, names: string[]) {
  const ask = async () => {
    const connection = await ctx.broker.open(LOOK_TIMEOUT_MS);
    const depths = await queueDepths(connection.model, names);
    return { broker: connection.blocked ? ('blocked' as const) : ('up' as const), depths };
  };
  const asked = ask().catch((error: unknown) => {
    ctx.log.warn('The broker cannot be asked for its queues', { error });
    return null;
  });
  return within(LOOK_TIMEOUT_MS, asked, null);
}
