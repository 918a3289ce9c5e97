import { type FieldTable, integerOf, textOf } from './values/fields';

export interface QueueIdentity {
  readonly name: string;
  /** Whether it survives a restart of the broker; an exclusive queue never does. */
  readonly durable: boolean;
  readonly autoDelete: boolean;
  /** The connection that an exclusive queue belongs to. */
  readonly owner: object | undefined;
  readonly args: FieldTable;
}

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

export type QueueType = 'classic' | 'quorum';

/** RabbitMQ 4's (https://www.rabbitmq.com/docs/quorum-queues#poison-message-handling). RabbitMQ 3 has none. */
const QUORUM_DELIVERY_LIMIT = 20;

/** What arguments that have been checked ask for. */
export function queueSettings(type: QueueType, args: FieldTable): QueueSettings {
  const number = (name: string) => integerOf(args.get(name));
  // RabbitMQ takes any value for a delivery limit; what is no integer is none.
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
