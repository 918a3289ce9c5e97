import { type FieldTable, integerOf, textOf } from './values/fields';

/** What a queue is declared as. */
export interface QueueDefinition {
  readonly name: string;
  /** Whether it survives a restart of the broker; an exclusive queue never does. */
  readonly durable: boolean;
  readonly autoDelete: boolean;
  /** The connection that an exclusive queue belongs to. */
  readonly owner: object | undefined;
  readonly args: FieldTable;
}

/** What the arguments of a queue mean (https://www.rabbitmq.com/docs/queues#optional-arguments). */
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

export type QueueType = 'classic' | 'quorum';

/** The default of RabbitMQ 4 (https://www.rabbitmq.com/docs/quorum-queues#poison-message-handling); 3 has none. */
const QUORUM_DELIVERY_LIMIT = 20;

/** Reads arguments without checking them. */
export function queueSettings(type: QueueType, args: FieldTable): QueueSettings {
  const number = (name: string) => integerOf(args.get(name));
  // RabbitMQ accepts any value as a delivery limit, and ignores one that is not an integer.
  const deliveryLimit = number('x-delivery-limit') ?? (type === 'quorum' ? QUORUM_DELIVERY_LIMIT : -1);
  return {
    quorum: type === 'quorum',
    messageTtl: number('x-message-ttl'),
    expires: number('x-expires'),
    maxLength: number('x-max-length') ?? Number.POSITIVE_INFINITY,
    maxLengthBytes: number('x-max-length-bytes') ?? Number.POSITIVE_INFINITY,
    overflow: textOf(args.get('x-overflow')) ?? 'drop-head',
    deadLetterExchange: textOf(args.get('x-dead-letter-exchange')),
    deadLetterRoutingKey: textOf(args.get('x-dead-letter-routing-key')),
    singleActiveConsumer: args.get('x-single-active-consumer')?.value === true,
    deliveryLimit: deliveryLimit < 0 ? Number.POSITIVE_INFINITY : deliveryLimit,
  };
}
