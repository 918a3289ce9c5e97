import type { UserEvent } from '../../shared/events/catalog';
import type { BatchResponse, RmqEvent } from '../../shared/lambda/rmq-event';
import { rmqEvent } from './rmq';

/** Calls a consumer function as the poller does. */
export function consume(
  handler: (event: RmqEvent) => Promise<BatchResponse>,
  events: UserEvent[],
  eventSourceArn?: string,
): Promise<BatchResponse> {
  return handler(rmqEvent(events, eventSourceArn));
}
