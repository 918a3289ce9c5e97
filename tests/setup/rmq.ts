import { ATTEMPT_HEADER } from '../../shared/broker/topology';
import type { UserEvent } from '../../shared/events/catalog';
import { POLLER_ARN, type RmqEvent } from '../../shared/lambda/rmq-event';

/**
 * A batch as Lambda gets it.
 * @param arn of an Amazon MQ broker, where it is to come from there
 * @param retried the ids of those that have failed once
 */
export function rmqEvent(events: UserEvent[], arn: string = POLLER_ARN, retried: string[] = []): RmqEvent {
  const messages = events.map((event) => ({
    basicProperties: {
      contentType: 'application/cloudevents+json',
      contentEncoding: null,
      headers: {
        ...(event.traceparent && { traceparent: { bytes: [...Buffer.from(event.traceparent)] } }),
        ...(retried.includes(event.id) && { [ATTEMPT_HEADER]: 2 }),
      },
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
