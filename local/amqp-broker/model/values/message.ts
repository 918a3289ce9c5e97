import type { FieldTable } from './fields';
import { readProperties } from './properties';

/** A published message. Its property list is kept as the bytes that arrived. */
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

/** Creates a message. Throws SYNTAX_ERROR if its property list is malformed. */
export function createMessage(
  exchange: string,
  routingKey: string,
  properties: Buffer,
  content: Buffer,
): Message {
  return { exchange, routingKey, properties, content, ...readProperties(properties) };
}
