import { AmqpError } from './errors';
import type { FieldTable } from './fields';
import { readProperties } from './properties';
import { MAX_EXPIRY } from './queue-arguments';

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
  readonly replyTo: string | undefined;
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
  const reason = expiration === undefined ? undefined : wrongExpiration(expiration);
  if (reason) throw new AmqpError('PRECONDITION_FAILED', `invalid expiration '${expiration}': ${reason}`);
  if (userId !== undefined && userId !== username) {
    const reason = `user_id property set to '${userId}' but authenticated user was '${username}'`;
    throw new AmqpError('PRECONDITION_FAILED', reason);
  }
}

function wrongExpiration(expiration: string): string | undefined {
  const [number] = /^[+-]?\d+/.exec(expiration) ?? [];
  if (number === undefined) return 'no_integer';
  const rest = expiration.slice(number.length);
  if (rest !== '') return `{leftover_string,${JSON.stringify(rest)}}`;
  if (BigInt(number) < 0n) return `{value_negative,${BigInt(number)}}`;
  return Number(number) > MAX_EXPIRY ? `{value_too_large,${BigInt(number)}}` : undefined;
}
