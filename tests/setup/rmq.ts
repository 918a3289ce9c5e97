import type { UserEvent } from '../../shared/events/catalog';
import { POLLER_ARN, type RmqEvent } from '../../shared/events/rmq-event';

/** A batch as Lambda gets it. @param arn of an Amazon MQ broker, where it is to come from there */
export function rmqEvent(events: UserEvent[], arn: string = POLLER_ARN): RmqEvent {
  const messages = events.map((event) => ({
    basicProperties: {
      contentType: 'application/cloudevents+json',
      contentEncoding: null,
      headers: event.traceparent ? { traceparent: { bytes: [...Buffer.from(event.traceparent)] } } : {},
      deliveryMode: 2,
      priority: null,
      correlationId: null,
      replyTo: null,
      expiration: null,
      messageId: event.id,
      timestamp: 'Nov 20, 2026, 3:57:15 PM',
      type: event.type,
      userId: null,
      appId: 'rollcall',
      clusterId: null,
      bodySize: 1,
    },
    redelivered: false,
    data: Buffer.from(JSON.stringify(event)).toString('base64'),
  }));
  return {
    eventSource: 'aws:rmq',
    eventSourceArn: arn,
    rmqMessagesByQueue: { 'rollcall.audit::/': messages },
  };
}
