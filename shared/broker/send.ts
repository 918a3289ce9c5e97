import type { Options } from 'amqplib';
import { type BrokerConnection, returnKey } from './connection';

export interface OutgoingMessage {
  exchange: string;
  routingKey: string;
  body: Buffer;
  properties: Options.Publish & { messageId: string };
}

/** What the reason for an unroutable message begins with. */
export const RETURNED = 'the broker returned it';

/**
 * What became of a message:
 * - `confirmed`: the broker has it, in at least one queue
 * - `refused`: the broker said no to this message (unroutable, queue full): trying others is fine
 * - `unknown`: the connection is not to be relied on: the broker may or may not have it
 */
export type SendOutcome =
  | { kind: 'confirmed' }
  | { kind: 'refused'; reason: string }
  | { kind: 'unknown'; reason: string };

/** Sends one message and waits for its confirm, for as long as that takes: the caller holds the clock. */
export function send(connection: BrokerConnection, message: OutgoingMessage): Promise<SendOutcome> {
  const key = returnKey(message.properties.messageId, message.exchange, message.routingKey);
  return new Promise((resolve) => {
    if (connection.blocked) return resolve({ kind: 'unknown', reason: connection.blocked.message });
    const settle = (error: unknown) => {
      // RabbitMQ confirms an unroutable message too, right after it has returned it.
      const returned = connection.returned.get(key);
      connection.returned.delete(key);
      if (connection.closed) resolve({ kind: 'unknown', reason: connection.closed.message });
      else if (error)
        resolve({
          kind: 'refused',
          reason:
            'the broker refused it (basic.nack), a queue is full: have its consumer catch up, or raise its x-max-length',
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
