import type { ChannelModel } from 'amqplib';
import type { Config } from '../config';
import type { Log } from '../log';
import { binding, type Declaration, declareEach, exchange, exchangeExists, queue } from './declare';
import { mirrorDeclarations, mirrorExchanges } from './mirrors';

/**
 * The events of each consumer. A consumer is a function in functions/consumers/ with the same name; its queue is
 * `<QUEUE_PREFIX>.<consumer>`. Patterns are those of a topic exchange: `*` is one word, `#` any number.
 */
export const CONSUMERS = {
  // All events, so that every event is routed to a queue and `mandatory` never returns one.
  audit: ['#'],
  emails: [
    'user.created',
    'user.updated',
    'user.email_verified',
    'user.email_change_requested',
    'user.email_changed',
    'user.password_changed',
    'user.password_removed',
    'user.role_changed',
    'user.suspended',
    'user.restored',
    'user.factor_added',
    'user.factor_removed',
    'user.passkey_added',
    'user.passkey_removed',
    'user.recovery_codes_created',
    'user.recovery_code_used',
    'user.verification_requested',
    'user.password_reset_requested',
    'user.login_code_requested',
    'user.export_ready',
  ],
  // Not part of `emails`: an administrator's full mailbox must not repeat or delay the user's own email.
  'admin-notices': ['user.created'],
  analytics: ['user.created', 'user.email_verified', 'session.created', 'user.deleted'],
  // All events: the database knows which webhooks subscribe to which types.
  webhooks: ['#'],
} as const satisfies Record<string, readonly string[]>;

export type Consumer = keyof typeof CONSUMERS;
export const CONSUMER_NAMES = Object.keys(CONSUMERS) as Consumer[];

/** The consumers whose queues receive events of this type. */
export function consumersOf(type: string): Consumer[] {
  return CONSUMER_NAMES.filter((name) => CONSUMERS[name].some((pattern) => matches(pattern, type)));
}

/** As a topic exchange does, for patterns that have `#` at their end at most. */
function matches(pattern: string, type: string): boolean {
  const words = type.split('.');
  const expected = pattern.split('.');
  if (expected.at(-1) === '#') expected.pop();
  else if (words.length !== expected.length) return false;
  return expected.every((word, index) => (word === '*' ? index < words.length : word === words[index]));
}

/** The function that stores dead letters. Its messages cannot be dead-lettered again, so the poller handles it separately. */
export const DEAD_LETTERS = 'dead-letters';
/** The function that records the receipts of data holders, which other services publish to its queue. */
export const RECEIPTS = 'receipts';
/** What the poller hands to a function as it is, because it is no event. */
export const WITHOUT_EVENTS = [DEAD_LETTERS, RECEIPTS] as const;
export type PolledQueue = Consumer | (typeof WITHOUT_EVENTS)[number];
export const POLLED_QUEUES: readonly PolledQueue[] = [...CONSUMER_NAMES, ...WITHOUT_EVENTS];

/** Our own count: `x-death` counts hops, differs between brokers, and a redrive would have to forge it. */
export const ATTEMPT_HEADER = 'rollcall-attempt';
/** On a dead letter: its original queue and the error. */
export const QUEUE_HEADER = 'rollcall-queue';
export const ERROR_HEADER = 'rollcall-error';

type EventsConfig = Config['events'];

/** The queue of a consumer function. */
export function queueOf(config: EventsConfig, polled: PolledQueue): string {
  return polled === DEAD_LETTERS ? `${config.queuePrefix}.dead_letters` : `${config.queuePrefix}.${polled}`;
}

/** Name of a fan-out exchange and its queue. A message's routing key is the queue to return to after the delay. */
export function retryExchangeOf(config: EventsConfig, delayMs: number): string {
  return `${config.queuePrefix}.retry.${delayMs}`;
}

/** More than a message has of ours, and few enough for a column of the database. Anybody may publish a message with more. */
const MAX_ATTEMPT = 1_000_000;

/** @returns the number in a message's `ATTEMPT_HEADER`; undefined if there is none that can be right */
export function readAttempt(header: unknown): number | undefined {
  const isAttempt = typeof header === 'number' && Number.isInteger(header);
  return isAttempt && header >= 1 && header <= MAX_ATTEMPT ? header : undefined;
}

export function deadExchangeOf(config: EventsConfig): string {
  return `${config.queuePrefix}.dead`;
}

/**
 * Declares the whole topology, on a new broker or after a queue was deleted. See `declareEach` for existing objects and
 * missing permissions.
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
 * Declares the exchanges for publishing, which also checks their type: an exchange of another type would confirm events
 * and route them to other queues or none.
 * @returns whether all queues are declared. An event that is published before would be confirmed, and miss the consumers whose
 * queues come later
 * @throws BrokerError
 */
export async function declareExchanges(
  model: Pick<ChannelModel, 'createChannel'>,
  config: EventsConfig,
  log: Log,
): Promise<boolean> {
  const [isComplete] = await Promise.all([
    // It is declared after the consumers' queues and bindings.
    exchangeExists(model, deadExchangeOf(config)),
    declareEach(model, [exchange(config.exchange, 'topic'), ...mirrorExchanges(config.mirrors)], log),
  ]);
  return isComplete;
}

/** In order of dependency. The exchange of dead letters comes after the consumers: `declareExchanges` relies on it. */
function* declarations(config: EventsConfig): Generator<Declaration> {
  yield exchange(config.exchange, 'topic');
  for (const consumer of CONSUMER_NAMES) {
    const name = queueOf(config, consumer);
    // One poller at a time consumes a queue, and the next one continues where it stopped. Otherwise overlapping runs would
    // share the messages, and events of one user could overtake each other.
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
  yield queue(queueOf(config, RECEIPTS), queueType(config));
  yield* mirrorDeclarations(config.mirrors);
}

/**
 * RabbitMQ 4 drops a message that was returned to a quorum queue 20 times, and every poller returns unhandled messages
 * when it stops. Practically unlimited, because RabbitMQ 3 rejects -1 for "no limit".
 */
const DELIVERY_LIMIT = 1_000_000_000;

function queueType({ queueType }: EventsConfig): Record<string, unknown> {
  return { 'x-queue-type': queueType, ...(queueType === 'quorum' && { 'x-delivery-limit': DELIVERY_LIMIT }) };
}

function retryArguments(config: EventsConfig, delayMs: number): Record<string, unknown> {
  return {
    ...queueType(config),
    'x-message-ttl': delayMs,
    // The default exchange routes by the message's routing key, which is the queue to return to.
    'x-dead-letter-exchange': '',
    // By default a quorum queue may lose a message that expires while a node fails. `at-least-once` requires
    // `reject-publish`.
    ...(config.queueType === 'quorum' && {
      'x-dead-letter-strategy': 'at-least-once',
      'x-overflow': 'reject-publish',
    }),
  };
}
