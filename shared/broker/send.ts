import type { Options } from 'amqplib';
import { type BrokerConnection, returnKey } from './connection';

export interface OutgoingMessage {
  exchange: string;
  routingKey: string;
  body: Buffer;
  properties: Options.Publish & { messageId: string };
}

/** The reason for an unroutable message starts with this. */
export const RETURNED = 'the broker returned it';

/**
 * The result of a publish:
 * - `confirmed`: the broker has the message in at least one queue
 * - `refused`: the broker rejected this message (unroutable, queue full); others may still be accepted
 * - `unknown`: the connection failed; the broker may or may not have the message
 */
export type SendOutcome =
  | { kind: 'confirmed' }
  | { kind: 'refused'; reason: string }
  | { kind: 'unknown'; reason: string };

/** Publishes one message and waits for its confirm. Has no timeout: the caller sets one. */
export function send(connection: BrokerConnection, message: OutgoingMessage): Promise<SendOutcome> {
  const key = returnKey(message.properties.messageId, message.exchange, message.routingKey);
  return new Promise((resolve) => {
    if (connection.blocked) return resolve({ kind: 'unknown', reason: connection.blocked.message });
    const settle = (error: unknown) => {
      // RabbitMQ also confirms an unroutable message, right after returning it.
      const returned = connection.returned.get(key);
      connection.returned.delete(key);
      if (connection.closed) resolve({ kind: 'unknown', reason: connection.closed.message });
      else if (error)
        resolve({
          kind: 'refused',
          reason:
            'the broker refused it (basic.nack) because a queue is full: let its consumer catch up, or raise its x-max-length',
        });
      else if (returned) resolve({ kind: 'refused', reason: `${RETURNED}: ${returned}` });
      else resolve({ kind: 'confirmed' });
    };
    try {
      connection.channel.publish(
        message.exchange,
        message.routingKey,
        message.body,
        { persistent: true, mandatory: true, ...message.properties },
        settle,
      );
    } catch (error) {
      resolve({ kind: 'unknown', reason: error instanceof Error ? error.message : String(error) });
    }
  });
}
