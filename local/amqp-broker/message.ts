import { AmqpError } from './errors';
import type { FieldTable } from './fields';
import { readProperties } from './properties';

/** A published message. Its property list stays the bytes it came as. */
export interface Message {
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties: Buffer;
  readonly content: Buffer;
  readonly headers: FieldTable;
  readonly persistent: boolean;
  /** The raw `expiration` property: milliseconds as text. */
  readonly expiration: string | undefined;
  readonly userId: string | undefined;
}

/** Builds a message, reading from its property list what the broker acts on. */
export function createMessage(
  exchange: string,
  routingKey: string,
  properties: Buffer,
  content: Buffer,
): Message {
  return { exchange, routingKey, properties, content, ...readProperties(properties) };
}

/**
 * Refuses an expiration that is not a whole number of milliseconds (https://www.rabbitmq.com/docs/ttl), and a
 * message that claims to be from another user (https://www.rabbitmq.com/docs/validated-user-id).
 */
export function checkMessage({ expiration, userId }: Message, username: string): void {
  if (expiration !== undefined && !/^\+?\d+$/.test(expiration)) {
    const reason = /^-\d+$/.test(expiration) ? `{value_negative,${expiration}}` : 'no_integer';
    throw new AmqpError('PRECONDITION_FAILED', `invalid expiration '${expiration}': ${reason}`);
  }
  if (userId !== undefined && userId !== username) {
    const reason = `user_id property set to '${userId}' but authenticated user was '${username}'`;
    throw new AmqpError('PRECONDITION_FAILED', reason);
  }
}
