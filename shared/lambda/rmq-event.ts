import type { ConsumeMessage } from 'amqplib';

/**
 * The event that Amazon MQ for RabbitMQ sends to Lambda; our poller sends the same format.
 * Source: AWS Lambda developer guide, "Using Lambda with Amazon MQ", RabbitMQ record event.
 */
export interface RmqEvent {
  eventSource: 'aws:rmq';
  eventSourceArn: string;
  /** By `<queue>::<virtual host>`. */
  rmqMessagesByQueue: Record<string, RmqMessage[]>;
}

/** Identifies calls by our poller. Amazon MQ's mapping does not support partial failures. */
export const POLLER_ARN = 'arn:rollcall:poll-queues';

export interface RmqMessage {
  basicProperties: {
    contentType: string | null;
    contentEncoding: string | null;
    headers: Record<string, unknown> | null;
    deliveryMode: number | null;
    priority: number | null;
    correlationId: string | null;
    replyTo: string | null;
    expiration: string | null;
    messageId: string | null;
    timestamp: string | null;
    type: string | null;
    userId: string | null;
    appId: string | null;
    clusterId: string | null;
    bodySize: number;
  };
  redelivered: boolean;
  /** Base64. */
  data: string;
}

/**
 * The response of a consumer function: the messages, by `messageId`, to retry, to dead-letter (`final`), or that it had no
 * time for (`untried`), which does not count as an attempt.
 */
export interface BatchResponse {
  batchItemFailures: { itemIdentifier: string; reason?: string; final?: boolean; untried?: boolean }[];
  /** Why the batch cannot be handled now. It is delivered again, and no attempt is counted. */
  unavailable?: string;
}

/** The reason of events that were not tried because an earlier event of their user failed. */
export const BEHIND_A_FAILURE = 'not tried: an earlier event of the user failed';

/** @returns the reason if the function reported that it is unavailable, otherwise undefined */
export function unavailableReason(response: unknown): string | undefined {
  if (typeof response !== 'object' || response === null || !('unavailable' in response)) return undefined;
  return typeof response.unavailable === 'string' ? response.unavailable : undefined;
}

export function toRmqMessage(message: ConsumeMessage): RmqMessage {
  const { properties } = message;
  return {
    basicProperties: {
      contentType: properties.contentType ?? null,
      contentEncoding: properties.contentEncoding ?? null,
      headers: encodeHeaders(properties.headers ?? {}),
      deliveryMode: properties.deliveryMode ?? null,
      priority: properties.priority ?? null,
      correlationId: properties.correlationId ?? null,
      replyTo: properties.replyTo ?? null,
      expiration: properties.expiration ?? null,
      messageId: properties.messageId ?? null,
      timestamp: properties.timestamp === undefined ? null : formatTimestamp(properties.timestamp),
      type: properties.type ?? null,
      userId: properties.userId ?? null,
      appId: properties.appId ?? null,
      clusterId: properties.clusterId ?? null,
      bodySize: message.content.length,
    },
    redelivered: message.fields.redelivered,
    data: message.content.toString('base64'),
  };
}

function encodeHeaders(headers: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      typeof value === 'string' ? { bytes: [...Buffer.from(value)] } : value,
    ]),
  );
}

/** Decodes a header's text, which is sent as bytes. @returns undefined for anything else */
export function headerText(header: unknown): string | undefined {
  if (typeof header !== 'object' || header === null || !('bytes' in header)) return undefined;
  return Array.isArray(header.bytes) ? Buffer.from(header.bytes).toString('utf8') : undefined;
}

const TIMESTAMP = new Intl.DateTimeFormat('en-US', {
  dateStyle: 'medium',
  timeStyle: 'medium',
  timeZone: 'UTC',
});

/** Formats AMQP's seconds as the mapping does: `Jan 1, 1970, 12:33:41 AM`. */
function formatTimestamp(seconds: number): string {
  return TIMESTAMP.format(new Date(seconds * 1000)).replace(/\u202f/g, ' ');
}
