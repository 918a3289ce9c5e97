import { AmqpError } from './errors';
import { type Field, type FieldTable, integerOf, textOf } from './fields';

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
const QUEUE_TYPES = ['classic', 'quorum'];

/** Reads and checks the arguments; `queue` names it in the errors, as in "queue 'q' in vhost '/'". */
export function readQueueArguments(queue: string, args: FieldTable): QueueSettings {
  const invalid = (name: string, reason: string) =>
    new AmqpError('PRECONDITION_FAILED', `invalid arg '${name}' for ${queue}: ${reason}`);

  const integer = (name: string, min = 0): number | undefined => {
    const field = args.get(name);
    if (!field) return undefined;
    const value = integerOf(field);
    if (value === undefined) throw invalid(name, `{unacceptable_type,${typeName(field)}}`);
    if (value < min) throw invalid(name, value < 0 ? `{value_negative,${value}}` : '{value_zero,0}');
    return value;
  };
  const text = (name: string, allowed?: readonly string[]): string | undefined => {
    const field = args.get(name);
    if (!field) return undefined;
    const value = textOf(field);
    if (value === undefined) throw invalid(name, `{unacceptable_type,${typeName(field)}}`);
    if (allowed && !allowed.includes(value)) throw invalid(name, `{unsupported_value,<<"${value}">>}`);
    return value;
  };

  const deadLetterExchange = text('x-dead-letter-exchange');
  const deadLetterRoutingKey = text('x-dead-letter-routing-key');
  if (deadLetterRoutingKey !== undefined && deadLetterExchange === undefined) {
    throw invalid('x-dead-letter-routing-key', 'routing_key_but_no_dlx_defined');
  }
  return {
    quorum: text('x-queue-type', QUEUE_TYPES) === 'quorum',
    messageTtl: integer('x-message-ttl'),
    expires: integer('x-expires', 1),
    maxLength: integer('x-max-length') ?? Number.POSITIVE_INFINITY,
    maxLengthBytes: integer('x-max-length-bytes') ?? Number.POSITIVE_INFINITY,
    overflow: text('x-overflow', OVERFLOWS) ?? 'drop-head',
    deadLetterExchange,
    deadLetterRoutingKey,
    singleActiveConsumer: args.get('x-single-active-consumer')?.value === true,
    deliveryLimit: integer('x-delivery-limit') ?? Number.POSITIVE_INFINITY,
  };
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
