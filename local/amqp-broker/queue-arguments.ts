import { AmqpError } from './errors';
import { type Field, type FieldTable, integerOf, textOf } from './fields';
import type { QueueIdentity } from './queue';

/** What the arguments of a queue ask for (https://www.rabbitmq.com/docs/queues#optional-arguments). */
export interface QueueSettings {
  readonly quorum: boolean;
  readonly messageTtl: number | undefined;
  readonly expires: number | undefined;
  readonly maxLength: number;
  readonly maxLengthBytes: number;
  readonly overflow: string;
  readonly deadLetterExchange: string | undefined;
  readonly deadLetterRoutingKey: string | undefined;
  readonly singleActiveConsumer: boolean;
  readonly deliveryLimit: number;
}

const OVERFLOWS = ['drop-head', 'reject-publish', 'reject-publish-dlx'];
/** Longest TTL RabbitMQ takes, in milliseconds. */
const MAX_EXPIRY = 2 ** 32 - 1;

/** RabbitMQ 4's (https://www.rabbitmq.com/docs/quorum-queues#poison-message-handling). RabbitMQ 3 has none. */
const QUORUM_DELIVERY_LIMIT = 20;

/** Reads and checks the arguments; `queue` names it in the errors, as in "queue 'q' in vhost '/'". */
export function readQueueArguments(queue: string, args: FieldTable): QueueSettings {
  const invalid = (name: string, reason: string) =>
    new AmqpError('PRECONDITION_FAILED', `invalid arg '${name}' for ${queue}: ${reason}`);

  const integer = (name: string, min: number, max = Number.POSITIVE_INFINITY): number | undefined => {
    const field = args.get(name);
    if (!field) return undefined;
    const value = integerOf(field);
    if (value === undefined) throw invalid(name, `"expected integer, got ${typeName(field)}"`);
    if (value < min) throw invalid(name, value < 0 ? `{value_negative,${value}}` : '{value_zero,0}');
    if (value > max) throw invalid(name, `{value_too_large,${value}}`);
    return value;
  };
  const text = (name: string): string | undefined => {
    const field = args.get(name);
    if (field && textOf(field) === undefined) throw invalid(name, `{unacceptable_type,${typeName(field)}}`);
    return textOf(field);
  };

  const type = text('x-queue-type') ?? 'classic';
  if (type !== 'classic' && type !== 'quorum') {
    throw invalid('x-queue-type', `"unsupported queue type '${type}'"`);
  }
  const overflow = text('x-overflow') ?? 'drop-head';
  if (!OVERFLOWS.includes(overflow)) throw invalid('x-overflow', 'invalid_overflow');
  const deadLetterExchange = text('x-dead-letter-exchange');
  const deadLetterRoutingKey = text('x-dead-letter-routing-key');
  if (deadLetterRoutingKey !== undefined && deadLetterExchange === undefined) {
    throw invalid('x-dead-letter-routing-key', 'routing_key_but_no_dlx_defined');
  }
  const single = args.get('x-single-active-consumer');
  if (single && typeof single.value !== 'boolean') {
    throw invalid('x-single-active-consumer', `{unacceptable_type,${typeName(single)}}`);
  }
  if (args.has('x-delivery-limit') && type === 'classic') {
    const reason = `invalid arg 'x-delivery-limit' for ${queue} of queue type rabbit_classic_queue`;
    throw new AmqpError('PRECONDITION_FAILED', reason);
  }
  const deliveryLimit =
    integer('x-delivery-limit', Number.NEGATIVE_INFINITY) ?? (type === 'quorum' ? QUORUM_DELIVERY_LIMIT : -1);
  return {
    quorum: type === 'quorum',
    messageTtl: integer('x-message-ttl', 0, MAX_EXPIRY),
    expires: integer('x-expires', 1, MAX_EXPIRY),
    maxLength: integer('x-max-length', 0) ?? Number.POSITIVE_INFINITY,
    maxLengthBytes: integer('x-max-length-bytes', 0) ?? Number.POSITIVE_INFINITY,
    overflow,
    deadLetterExchange,
    deadLetterRoutingKey,
    singleActiveConsumer: single?.value === true,
    deliveryLimit: deliveryLimit < 0 ? Number.POSITIVE_INFINITY : deliveryLimit,
  };
}

/** Refuses a quorum queue that does not outlive its users (https://www.rabbitmq.com/docs/quorum-queues). */
export function assertReplicable(queue: string, { durable, owner, autoDelete }: QueueIdentity): void {
  const wrong = [!durable && 'non-durable', owner && 'exclusive-owner', autoDelete && 'auto-delete'].find(
    Boolean,
  );
  if (wrong) throw new AmqpError('PRECONDITION_FAILED', `invalid property '${wrong}' for ${queue}`);
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  t: 'bool',
  b: 'byte',
  B: 'unsignedbyte',
  s: 'short',
  u: 'unsignedshort',
  I: 'signedint',
  i: 'unsignedint',
  l: 'long',
  f: 'float',
  d: 'double',
  D: 'decimal',
  S: 'longstr',
  A: 'array',
  T: 'timestamp',
  F: 'table',
  V: 'void',
  x: 'binary',
};

/** RabbitMQ's name of a field type, for the error texts. */
export function typeName(field: Field): string {
  return TYPE_NAMES[field.tag] ?? 'unknown';
}
