import type { ConsumeMessage } from 'amqplib';

/**
 * What AWS Lambda gets from Amazon MQ for RabbitMQ, and what our own poller sends in the same shape.
 * Source: AWS Lambda developer guide, "Using Lambda with Amazon MQ", RabbitMQ record event.
 */
export interface RmqEvent {
  eventSource: 'aws:rmq';
  eventSourceArn: string;
  /** By `<queue>::<virtual host>`. */
  rmqMessagesByQueue: Record<string, RmqMessage[]>;
}

/** Tells a call by our poller from one by Amazon MQ's mapping, which understands no partial answer. */
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
 * What a consumer function answers: the messages, by `messageId`, that have to come again, or never (`final`), or that it
 * had no time for (`untried`), which is no attempt.
 */
export interface BatchResponse {
  batchItemFailures: { itemIdentifier: string; reason?: string; final?: boolean; untried?: boolean }[];
  /** Why none of the batch can be handled right now. It comes again as it is, and no attempt is counted. */
  unavailable?: string;
}

/** @returns why a function that ran could not even begin; undefined for any other answer */
export function unavailableReason(answer: unknown): string | undefined {
  if (typeof answer !== 'object' || answer === null || !('unavailable' in answer)) return undefined;
  return typeof answer.unavailable === 'string' ? answer.unavailable : undefined;
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

/** A header's text, which comes as bytes. @returns undefined for anything else */
export function headerText(header: unknown): string | undefined {
  if (typeof header !== 'object' || header === null || !('bytes' in header)) return undefined;
  return Array.isArray(header.bytes) ? Buffer.from(header.bytes).toString('utf8') : undefined;
}

const TIMESTAMP = new Intl.DateTimeFormat('en-US', {
  dateStyle: 'medium',
  timeStyle: 'medium',
  timeZone: 'UTC',
});

/** AMQP's seconds the way the mapping prints them: `Jan 1, 1970, 12:33:41 AM`. */
function formatTimestamp(seconds: number): string {
  return TIMESTAMP.format(new Date(seconds * 1000)).replace(/\u202f/g, ' ');
}
