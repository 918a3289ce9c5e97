import type { ConsumeMessage } from 'amqplib';
import type { BrokerConnection } from '../broker/connection';
import { type OutgoingMessage, send } from '../broker/send';
import {
  ATTEMPT_HEADER,
  type Consumer,
  deadExchangeOf,
  ERROR_HEADER,
  QUEUE_HEADER,
  queueOf,
  readAttempt,
  retryExchangeOf,
} from '../broker/topology';
import type { UserEvent } from '../events/catalog';
import { storableText } from '../storable';
import { within } from '../within';
import { forgetRetrying, type Retried, recordRetrying } from './retry-store';
import { clearSuspects } from './suspect-store';
import type { PollContext } from './types';

export const CONFIRM_TIMEOUT_MS = 10_000;
const MAX_ERROR_LENGTH = 1_000;
/** Far larger than our events. The dead letter of a larger foreign message keeps the beginning. */
export const MAX_EVENT_BYTES = 256 * 1024;

/**
 * What happens to a message that was not handled:
 *
 * | verdict     | reason                                       | next                                           |
 * | ----------- | -------------------------------------------- | ---------------------------------------------- |
 * | `failed`    | the handler or the function failed           | retry after the next delay, or a dead letter after the last one |
 * | `permanent` | the handler threw a PermanentError           | dead letter                                    |
 * | `waits`     | an earlier event of the user was not handled | retry after a delay; no attempt is counted     |
 * | `invalid`   | the message is not an event                  | dead letter                                    |
 */
export type Unhandled =
  | { verdict: 'failed' | 'permanent'; message: ConsumeMessage; event: UserEvent; reason: string }
  | { verdict: 'waits'; message: ConsumeMessage; event: UserEvent; forMs: number }
  | { verdict: 'invalid'; message: ConsumeMessage; reason: string };

/**
 * Records which users' later events have to wait. Returns a function that publishes copies of the unhandled messages to
 * retry queues or the dead-letter queue and resolves at the last confirm; only then may the caller acknowledge the
 * originals. A crash in between repeats messages but never loses one.
 * @throws if the database fails; the returned function, if a copy was not confirmed
 */
export async function settle(
  ctx: PollContext,
  connection: BrokerConnection,
  consumer: Consumer,
  unhandled: Unhandled[],
): Promise<() => Promise<void>> {
  // The broker redelivers the batch to another poller, which settles it.
  if (unhandled.length > 0 && connection.closed) throw connection.closed;
  const routes = unhandled.map((item) => routeOf(ctx, consumer, item));
  await recordRetrying(ctx.db, consumer, routes.flatMap(retriesOf));
  return async () => {
    await Promise.all(routes.map(({ copy }) => sendConfirmed(connection, copy)));
    const dead = routes.flatMap((route) => (route.kind === 'dead' && route.event ? [route.event.id] : []));
    await forgetRetrying(ctx.db, consumer, dead);
    await clearSuspects(ctx.db, consumer, dead);
  };
}

/** Includes future dead letters: until their copy is confirmed, a crash would retry them, so later events must wait. */
function retriesOf(route: Route): Retried[] {
  if (route.kind === 'retry') return [route];
  const { event, failure } = route;
  return event ? [{ event, delayMs: 0, failure }] : [];
}

export async function sendConfirmed(connection: BrokerConnection, copy: OutgoingMessage): Promise<void> {
  const outcome = await within(CONFIRM_TIMEOUT_MS, send(connection, copy), NOT_CONFIRMED);
  if (outcome.kind === 'confirmed') return;
  const failure = new Error(`A message could not be published to ${copy.exchange}: ${outcome.reason}`);
  throw connection.closed ?? connection.blocked ?? failure;
}

const NOT_CONFIRMED = { kind: 'unknown', reason: 'not confirmed in time' } as const;

/** Where the copy of an unhandled message goes. */
type Route =
  | ({ kind: 'retry'; copy: OutgoingMessage } & Retried)
  | { kind: 'dead'; copy: OutgoingMessage; event?: UserEvent; failure: Retried['failure'] };

function routeOf(ctx: PollContext, consumer: Consumer, item: Unhandled): Route {
  const { events } = ctx.config;
  const { message } = item;
  const queue = queueOf(events, consumer);
  const attempt = attemptOf(message);
  const fields = { consumer, eventId: message.properties.messageId, attempt };
  const retry = (event: UserEvent, delayMs: number, failure: Retried['failure']): Route => {
    const nextAttempt = failure ? attempt + 1 : attempt;
    const copy = copyOf(message, retryExchangeOf(events, delayMs), queue, { [ATTEMPT_HEADER]: nextAttempt });
    return { kind: 'retry', copy, event, delayMs, failure };
  };

  if (item.verdict === 'waits') {
    const delayMs = waitingDelay(events.retryDelaysMs, item.forMs);
    ctx.log.debug('An event waits for an earlier one of its user', { ...fields, delayMs });
    return retry(item.event, delayMs, null);
  }
  const reason = item.reason.slice(0, MAX_ERROR_LENGTH);
  const delayMs = events.retryDelaysMs[attempt - 1];
  if (item.verdict === 'failed' && delayMs !== undefined) {
    ctx.log.warn('An event failed and will be retried', { ...fields, reason, delayMs });
    return retry(item.event, delayMs, { attempt, error: storableText(reason), isLast: false });
  }
  ctx.log.error('An event failed permanently and becomes a dead letter', { ...fields, reason });
  const copy = {
    ...copyOf(message, deadExchangeOf(events), queue, {
      [ATTEMPT_HEADER]: attempt,
      [QUEUE_HEADER]: queue,
      [ERROR_HEADER]: reason,
    }),
    body: message.content.subarray(0, MAX_EVENT_BYTES),
  };
  const failure = { attempt, error: storableText(reason), isLast: true };
  return { kind: 'dead', copy, failure, ...(item.verdict !== 'invalid' && { event: item.event }) };
}

/**
 * The longest delay that ends before the awaited event is retried, or the shortest one. The more overdue that event is,
 * the longer the delay.
 */
function waitingDelay(delaysMs: number[], forMs: number): number {
  const [shortest = 0, ...longer] = [...delaysMs].sort((a, b) => a - b);
  return longer.findLast((delayMs) => delayMs <= Math.abs(forMs)) ?? shortest;
}

export function attemptOf(message: ConsumeMessage): number {
  return readAttempt(message.properties.headers?.[ATTEMPT_HEADER]) ?? 1;
}

export function copyOf(
  message: ConsumeMessage,
  exchange: string,
  routingKey: string,
  headers: Record<string, unknown>,
): OutgoingMessage {
  const { properties } = message;
  // RabbitMQ's `x-death` header would grow with every retry.
  const { 'x-death': _death, ...kept } = properties.headers ?? {};
  return {
    exchange,
    routingKey,
    body: message.content,
    properties: {
      messageId: String(properties.messageId ?? ''),
      type: properties.type,
      appId: properties.appId,
      contentType: properties.contentType,
      timestamp: properties.timestamp,
      headers: { ...kept, ...headers },
    },
  };
}
