import type { Channel, ChannelModel } from 'amqplib';
import { explainTrouble } from '../broker/trouble';
import type { Config } from '../config';
import type { Log } from '../log';
import { mirrorDeclarations } from './mirrors';

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
  analytics: ['user.created', 'user.email_verified', 'session.created', 'user.deleted'],
  // Everything: which endpoint wants what is in the database.
  webhooks: ['#'],
} as const satisfies Record<string, readonly string[]>;

export type Consumer = keyof typeof CONSUMERS;
export const CONSUMER_NAMES = Object.keys(CONSUMERS) as Consumer[];

/** The function that stores what failed for good. Its queue is the end of the line, so it is served in its own way. */
export const DEAD_LETTERS = 'dead-letters';
export type PolledQueue = Consumer | typeof DEAD_LETTERS;

/** Counted by us: `x-death` counts hops, differs between brokers, and a redrive would have to forge it. */
export const ATTEMPT_HEADER = 'rollcall-attempt';
/** On a dead letter: the queue that it comes from, and why it is here. */
export const QUEUE_HEADER = 'rollcall-queue';
export const ERROR_HEADER = 'rollcall-error';

type EventsConfig = Config['events'];

/** The queue that a function is fed from. */
export function queueOf(config: EventsConfig, polled: PolledQueue): string {
  return polled === DEAD_LETTERS ? `${config.queuePrefix}.dead_letters` : `${config.queuePrefix}.${polled}`;
}

/** Fan-out exchange and queue by one name. A message's routing key is the queue that it goes back to. */
export function retryExchangeOf(config: EventsConfig, delayMs: number): string {
  return `${config.queuePrefix}.retry.${delayMs}`;
}

export function deadExchangeOf(config: EventsConfig): string {
  return `${config.queuePrefix}.dead`;
}

/**
 * Declares everything that is not there yet. Run by the scheduled functions at their start, so that a new broker or
 * a deleted queue mends itself. What exists with other arguments is named in the log and used as it is.
 * @throws BrokerTrouble where a permission is missing, or the connection breaks
 */
export async function declareTopology(
  model: Pick<ChannelModel, 'createChannel'>,
  config: EventsConfig,
  log: Log,
) {
  let channel = await openChannel(model);
  for (const { what, declare } of declarations(config)) {
    try {
      await declare(channel);
    } catch (error) {
      if (!isPreconditionFailed(error)) throw explainTrouble(error);
      log.error(
        `The ${what} exists with other arguments and is used as it is. To have it right, delete it once it is empty, or choose other names with QUEUE_PREFIX or EVENT_EXCHANGE.`,
        { reason: error.message },
      );
      // The broker has closed the channel over it.
      channel = await openChannel(model);
    }
  }
  await channel.close();
}

export interface Declaration {
  what: string;
  declare(channel: Channel): Promise<unknown>;
}

function* declarations(config: EventsConfig): Generator<Declaration> {
  yield exchange(config.exchange, 'topic');
  for (const consumer of CONSUMER_NAMES) {
    const name = queueOf(config, consumer);
    // One poller at a time reads a queue, and the next takes over where it stopped: overlapping runs would
    // otherwise share it out between them, and one user's events could overtake each other.
    yield queue(name, { ...queueType(config), 'x-single-active-consumer': true });
    for (const pattern of CONSUMERS[consumer]) yield binding(name, config.exchange, pattern);
  }
  for (const delayMs of config.retryDelaysMs) {
    const name = retryExchangeOf(config, delayMs);
    yield exchange(name, 'fanout');
    yield queue(name, retryArguments(config, delayMs));
    yield binding(name, name, '');
  }
  yield exchange(deadExchangeOf(config), 'fanout');
  yield queue(queueOf(config, DEAD_LETTERS), queueType(config));
  yield binding(queueOf(config, DEAD_LETTERS), deadExchangeOf(config), '');
  yield* mirrorDeclarations(config.mirrors);
}

function exchange(name: string, type: string): Declaration {
  return { what: `exchange ${name}`, declare: (channel) => channel.assertExchange(name, type) };
}

function queue(name: string, args: Record<string, unknown>): Declaration {
  return { what: `queue ${name}`, declare: (channel) => channel.assertQueue(name, { arguments: args }) };
}

function binding(queueName: string, exchangeName: string, pattern: string): Declaration {
  return {
    what: `binding of ${queueName} to ${exchangeName}`,
    declare: (channel) => channel.bindQueue(queueName, exchangeName, pattern),
  };
}

/**
 * RabbitMQ 4 drops what has come back to a quorum queue 20 times, and every stop of a poller gives back what it holds.
 * A number that nothing reaches, because -1 for "no limit" is refused by RabbitMQ 3.
 */
const DELIVERY_LIMIT = 1_000_000_000;

function queueType({ queueType }: EventsConfig): Record<string, unknown> {
  return { 'x-queue-type': queueType, ...(queueType === 'quorum' && { 'x-delivery-limit': DELIVERY_LIMIT }) };
}

function retryArguments(config: EventsConfig, delayMs: number): Record<string, unknown> {
  return {
    ...queueType(config),
    'x-message-ttl': delayMs,
    // The default exchange, with the routing key that the message came with: the queue to go back to.
    'x-dead-letter-exchange': '',
    // By default a quorum queue may lose a message that expires while a node fails. This needs the overflow rule.
    ...(config.queueType === 'quorum' && {
      'x-dead-letter-strategy': 'at-least-once',
      'x-overflow': 'reject-publish',
    }),
  };
}

async function openChannel(model: Pick<ChannelModel, 'createChannel'>): Promise<Channel> {
  const channel = await model.createChannel();
  channel.on('error', () => {});
  return channel;
}

const PRECONDITION_FAILED = 406;

function isPreconditionFailed(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && error.code === PRECONDITION_FAILED;
}
