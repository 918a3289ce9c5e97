import type { ChannelModel } from 'amqplib';
import type { Config } from '../config';
import type { Log } from '../log';
import { binding, type Declaration, declareEach, exchange, queue } from './declare';
import { mirrorDeclarations, mirrorExchanges } from './mirrors';

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
    'user.email_change_requested',
    'user.email_changed',
    'user.password_changed',
    'user.role_changed',
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
 * Declares everything that is not there yet, so that a new broker or a deleted queue mends itself. See `declareEach` for
 * what exists otherwise and for missing permissions.
 * @throws BrokerError
 */
export function declareTopology(
  model: Pick<ChannelModel, 'createChannel'>,
  config: EventsConfig,
  log: Log,
): Promise<void> {
  return declareEach(model, declarations(config), log);
}

/**
 * Declares what is published to, and so makes sure of its type: an exchange of another one takes events to other queues,
 * or to none, and confirms them.
 * @throws BrokerError
 */
export function declareExchanges(
  model: Pick<ChannelModel, 'createChannel'>,
  config: EventsConfig,
  log: Log,
): Promise<void> {
  return declareEach(model, [exchange(config.exchange, 'topic'), ...mirrorExchanges(config.mirrors)], log);
}

/** In an order in which each finds what it needs. */
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
