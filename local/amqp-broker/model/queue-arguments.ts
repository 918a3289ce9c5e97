import { type QueueDefinition, type QueueSettings, type QueueType, queueSettings } from './queue-settings';
import { AmqpError } from './values/errors';
import { type Field, type FieldTable, integerOf, textOf, typeName } from './values/fields';

/** Returns why a value is refused, in RabbitMQ's words; undefined if it is accepted. */
type Check = (field: Field, args: FieldTable) => string | undefined;

/** Longest TTL that RabbitMQ accepts, in milliseconds: ten years. */
export const MAX_EXPIRY = 10 * 365 * 24 * 60 * 60 * 1000;

function integer(min: number, max = Number.POSITIVE_INFINITY, tooLarge = 'value_too_large'): Check {
  return (field) => {
    const value = integerOf(field);
    if (value === undefined) return `"expected integer, got ${typeName(field)}"`;
    if (value < 0 && value < min) return `{value_negative,${value}}`;
    if (value < min) return `{value_zero,${value}}`;
    return value > max ? `{${tooLarge},${value}}` : undefined;
  };
}

function oneOf(values: readonly string[], refuse: (value: string) => string): Check {
  return (field) => {
    const value = textOf(field);
    if (value === undefined) return `{unacceptable_type,${typeName(field)}}`;
    return values.includes(value) ? undefined : refuse(value);
  };
}

const boolean: Check = (field) =>
  typeof field.value === 'boolean' ? undefined : `{unacceptable_type,${typeName(field)}}`;

const deadLetterKey: Check = (field, args) => {
  if (textOf(field) === undefined) return `{unacceptable_type,${typeName(field)}}`;
  return args.has('x-dead-letter-exchange') ? undefined : 'routing_key_but_no_dlx_defined';
};

const queueVersion: Check = (field, args) => {
  const version = integerOf(field);
  return version === 1 || version === 2
    ? undefined
    : (integer(0)(field, args) ?? `"unsupported queue version '${version}'"`);
};

const LOCATORS = ['client-local', 'balanced', 'random', 'least-leaders'];
const BOTH: readonly QueueType[] = ['classic', 'quorum'];
const CLASSIC: readonly QueueType[] = ['classic'];
const QUORUM: readonly QueueType[] = ['quorum'];
const STREAM: readonly QueueType[] = [];

/**
 * Every argument that RabbitMQ knows, in the order in which it checks them: the types of queue that accept it, and the
 * check of its value. These must be the same when such a queue is declared again; RabbitMQ ignores any others.
 */
const ARGUMENTS: Readonly<Record<string, readonly [readonly QueueType[], Check?]>> = {
  'x-expires': [BOTH, integer(1, MAX_EXPIRY)],
  'x-message-ttl': [BOTH, integer(0, MAX_EXPIRY)],
  'x-dead-letter-exchange': [BOTH],
  'x-dead-letter-routing-key': [BOTH, deadLetterKey],
  'x-dead-letter-strategy': [QUORUM, oneOf(['at-most-once', 'at-least-once'], () => 'invalid_dlx_strategy')],
  'x-max-length': [BOTH, integer(0)],
  'x-max-length-bytes': [BOTH, integer(0)],
  'x-max-in-memory-length': [QUORUM, integer(0)],
  'x-max-in-memory-bytes': [QUORUM, integer(0)],
  'x-max-priority': [CLASSIC, integer(0, 255, 'max_value_exceeded')],
  'x-overflow': [
    BOTH,
    oneOf(['drop-head', 'reject-publish', 'reject-publish-dlx'], () => 'invalid_overflow'),
  ],
  'x-queue-mode': [CLASSIC, oneOf(['default', 'lazy'], (value) => `"unsupported queue mode '${value}'"`)],
  'x-queue-version': [CLASSIC, queueVersion],
  'x-single-active-consumer': [BOTH, boolean],
  'x-queue-type': [BOTH],
  'x-quorum-initial-group-size': [QUORUM, integer(1)],
  'x-delivery-limit': [QUORUM],
  'x-queue-master-locator': [
    CLASSIC,
    oneOf(['min-masters', 'client-local', 'random'], () => 'invalid_queue_locator_arg'),
  ],
  // RabbitMQ 4 accepts it for classic queues too, RabbitMQ 3.10 does not.
  'x-queue-leader-locator': [BOTH, oneOf(LOCATORS, () => 'invalid_queue_locator_arg')],
  'x-max-age': [STREAM],
  'x-stream-max-segment-size-bytes': [STREAM],
  'x-stream-filter-size-bytes': [STREAM],
  'x-initial-cluster-size': [STREAM],
};

/** The arguments that must be the same when this queue is declared again. */
export function comparedArguments(settings: QueueSettings): string[] {
  const type = settings.quorum ? 'quorum' : 'classic';
  return Object.keys(ARGUMENTS).filter((name) => ARGUMENTS[name]?.[0].includes(type));
}

/**
 * Reads and checks the arguments of a new queue; `queue` names it in the errors, as in "queue 'q' in vhost '/'".
 * Throws PRECONDITION_FAILED for a value, or an argument for this type of queue, that RabbitMQ refuses.
 */
export function readQueueArguments(queue: string, args: FieldTable): QueueSettings {
  const exchange = args.get('x-dead-letter-exchange');
  if (exchange && textOf(exchange) === undefined) {
    const reason = `invalid type '${typeName(exchange)}' for arg 'x-dead-letter-exchange' in ${queue}`;
    throw new AmqpError('PRECONDITION_FAILED', reason);
  }
  const type = queueType(queue, args);
  for (const [name, [types, check]] of Object.entries(ARGUMENTS)) {
    const field = types.includes(type) ? args.get(name) : undefined;
    const reason = field && check?.(field, args);
    if (reason) throw invalid(queue, name, reason);
  }
  for (const name of args.keys()) {
    const types = ARGUMENTS[name]?.[0];
    if (!types || types.includes(type)) continue;
    const reason = `invalid arg '${name}' for ${queue} of queue type rabbit_${type}_queue`;
    throw new AmqpError('PRECONDITION_FAILED', reason);
  }
  return queueSettings(type, args);
}

function queueType(queue: string, args: FieldTable): QueueType {
  const field = args.get('x-queue-type');
  if (!field) return 'classic';
  const type = textOf(field);
  if (type === 'classic' || type === 'quorum') return type;
  if (type === undefined) throw invalid(queue, 'x-queue-type', `{unacceptable_type,${typeName(field)}}`);
  throw invalid(queue, 'x-queue-type', `"unsupported queue type '${type}'"`);
}

function invalid(queue: string, name: string, reason: string): AmqpError {
  return new AmqpError('PRECONDITION_FAILED', `invalid arg '${name}' for ${queue}: ${reason}`);
}

/** Refuses a quorum queue that is auto-delete, exclusive or not durable (https://www.rabbitmq.com/docs/quorum-queues). */
export function assertReplicable(queue: string, { durable, owner, autoDelete }: QueueDefinition): void {
  const wrong = [autoDelete && 'auto-delete', owner && 'exclusive-owner', !durable && 'non-durable'].find(
    Boolean,
  );
  if (wrong) throw new AmqpError('PRECONDITION_FAILED', `invalid property '${wrong}' for ${queue}`);
}

/**
 * Refuses arguments of basic.consume as RabbitMQ does: a priority that is no integer
 * (https://www.rabbitmq.com/docs/consumer-priority), and the offset of a stream.
 */
export function checkConsumeArguments(queue: string, { quorum }: QueueSettings, args: FieldTable): void {
  const priority = args.get('x-priority');
  const reason = priority && integer(Number.NEGATIVE_INFINITY)(priority, args);
  if (reason) throw invalid(queue, 'x-priority', reason);
  if (!args.has('x-stream-offset')) return;
  const type = quorum ? 'rabbit_quorum_queue' : 'rabbit_classic_queue';
  throw new AmqpError(
    'PRECONDITION_FAILED',
    `invalid arg 'x-stream-offset' for ${queue} of queue type ${type}`,
  );
}
