import type { Channel, Options } from 'amqplib';
import type { Config } from '../config';

/**
 * Who gets which events. A consumer is a function in functions/consumers/ of the same name; its queue is
 * `<QUEUE_PREFIX>.<consumer>`. Patterns are those of a topic exchange: `*` is one word, `#` any number.
 */
export const CONSUMERS = {
  // Everything, so that every event has a queue to go to and `mandatory` never returns one.
  audit: ['#'],
  emails: [
    'user.created',
    'user.updated',
    'user.email_verified',
    'user.verification_requested',
    'user.password_reset_requested',
  ],
  // Not part of `emails`: an administrator's full mailbox must not repeat, or hold up, the user's own mail.
  'admin-notices': ['user.created'],
} as const satisfies Record<string, readonly string[]>;

export type Consumer = keyof typeof CONSUMERS;
export const CONSUMER_NAMES = Object.keys(CONSUMERS) as Consumer[];

type EventsConfig = Config['events'];

export function queueOf(config: EventsConfig, consumer: Consumer): string {
  return `${config.queuePrefix}.${consumer}`;
}

/** Fan-out exchange and queue by one name. A message's routing key is the queue that it goes back to. */
export function retryExchangeOf(config: EventsConfig, delayMs: number): string {
  return `${config.queuePrefix}.retry.${delayMs}`;
}

export function deadExchangeOf(config: EventsConfig): string {
  return `${config.queuePrefix}.dead`;
}

/**
 * Declares everything; what is there already stays as it is. Run by the scheduled functions at their start, so
 * that a new broker or a deleted queue mends itself.
 * @throws TopologyError where a queue or exchange exists with other arguments
 */
export async function declareTopology(channel: Channel, config: EventsConfig): Promise<void> {
  await declare(`exchange ${config.exchange}`, () => channel.assertExchange(config.exchange, 'topic'));

  for (const consumer of CONSUMER_NAMES) {
    const queue = queueOf(config, consumer);
    await declare(`queue ${queue}`, () =>
      channel.assertQueue(queue, {
        arguments: {
          ...queueType(config),
          // One poller at a time reads a queue and the next takes over where it stopped: overlapping runs
          // would otherwise share it out between them, and one user's events could overtake each other.
          'x-single-active-consumer': true,
        },
      }),
    );
    for (const pattern of CONSUMERS[consumer]) await channel.bindQueue(queue, config.exchange, pattern);
  }

  for (const delayMs of config.retryDelaysMs) {
    const name = retryExchangeOf(config, delayMs);
    await declare(`exchange ${name}`, () => channel.assertExchange(name, 'fanout'));
    await declare(`queue ${name}`, () => channel.assertQueue(name, retryQueueOptions(config, delayMs)));
    await channel.bindQueue(name, name, '');
  }

  const dead = deadExchangeOf(config);
  const deadLetters = `${config.queuePrefix}.dead_letters`;
  await declare(`exchange ${dead}`, () => channel.assertExchange(dead, 'fanout'));
  await declare(`queue ${deadLetters}`, () =>
    channel.assertQueue(deadLetters, { arguments: queueType(config) }),
  );
  await channel.bindQueue(deadLetters, dead, '');
}

function queueType(config: EventsConfig): Record<string, unknown> {
  return { 'x-queue-type': config.queueType };
}

function retryQueueOptions(config: EventsConfig, delayMs: number): Options.AssertQueue {
  return {
    arguments: {
      ...queueType(config),
      'x-message-ttl': delayMs,
      // The default exchange, with the routing key that the message came with: the queue to go back to.
      'x-dead-letter-exchange': '',
      // By default a quorum queue may lose a message that expires while a node fails. This needs the overflow rule.
      ...(config.queueType === 'quorum' && {
        'x-dead-letter-strategy': 'at-least-once',
        'x-overflow': 'reject-publish',
      }),
    },
  };
}

export class TopologyError extends Error {
  constructor(what: string, cause: Error) {
    super(
      `The ${what} exists with other arguments: ${cause.message}. Delete it once it is empty, or choose other names with QUEUE_PREFIX or EVENT_EXCHANGE.`,
      { cause },
    );
    this.name = 'TopologyError';
  }
}

const PRECONDITION_FAILED = 406;

async function declare(what: string, assert: () => Promise<unknown>): Promise<void> {
  try {
    await assert();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === PRECONDITION_FAILED) {
      throw new TopologyError(what, error);
    }
    throw error;
  }
}
