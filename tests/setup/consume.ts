import type { UserEvent } from '../../shared/events/catalog';
import { type BatchResponse, POLLER_ARN, type RmqEvent } from '../../shared/events/rmq-event';

/** Calls a consumer function as the poller does. */
export function consume(
  handler: (event: RmqEvent) => Promise<BatchResponse>,
  events: UserEvent[],
  eventSourceArn = POLLER_ARN,
): Promise<BatchResponse> {
  const messages = events.map((event) => {
    const body = Buffer.from(JSON.stringify(event));
    return {
      basicProperties: {
        contentType: 'application/cloudevents+json',
        contentEncoding: null,
        headers: {},
        deliveryMode: 2,
        priority: null,
        correlationId: null,
        replyTo: null,
        expiration: null,
        messageId: event.id,
        timestamp: null,
        type: event.type,
        userId: null,
        appId: 'rollcall',
        clusterId: null,
        bodySize: body.length,
      },
      redelivered: false,
      data: body.toString('base64'),
    };
  });
  return handler({ eventSource: 'aws:rmq', eventSourceArn, rmqMessagesByQueue: { 'queue::/': messages } });
}
