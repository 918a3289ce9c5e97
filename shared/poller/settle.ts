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
  retryExchangeOf,
} from '../broker/topology';
import type { UserEvent } from '../events/catalog';
import { within } from '../within';
import { forgetRetrying, recordRetrying } from './retry-store';
import { clearSuspects } from './suspect-store';
import type { PollContext } from './types';

export const CONFIRM_TIMEOUT_MS = 10_000;
const MAX_ERROR_LENGTH = 1_000;
/** No event of ours comes near. Of a stranger's message that is larger, the dead letter keeps the beginning. */
export const MAX_EVENT_BYTES = 256 * 1024;

/**
 * What happens to a message that was not handled:
 *
 * | verdict    | because                                             | next                                             |
 * | ---------- | --------------------------------------------------- | ------------------------------------------------ |
 * | `failed`   | its handler or its function failed                  | the next delay; after the last one a dead letter |
 * | `hopeless` | its handler says that no attempt can help           | a dead letter                                    |
 * | `waits`    | an earlier event of its user has not had its effect | around once more: no attempt is counted          |
 * | `invalid`  | it is not an event: no attempt can help             | a dead letter                                    |
 */
export type Unhandled =
  | { verdict: 'failed' | 'hopeless'; message: ConsumeMessage; event: UserEvent; reason: string }
  | { verdict: 'waits'; message: ConsumeMessage; event: UserEvent; forMs: number }
  | { verdict: 'invalid'; message: ConsumeMessage; reason: string };

/**
 * Writes down whose later events have to wait, after which these may come. What sends everything that was not handled
 * on its way is returned: it resolves at the last confirm, and only then may the caller acknowledge the originals. A
 * crash in between repeats a message, and never loses one.
 * @throws where the database cannot write; what is returned, where a copy was not confirmed
 */
export async function settle(
  ctx: PollContext,
  connection: BrokerConnection,
  consumer: Consumer,
  unhandled: Unhandled[],
): Promise<() => Promise<void>> {
  // The broker has given the batch to another poller, which decides what becomes of it.
  if (unhandled.length > 0 && connection.closed) throw connection.closed;
  const stops = unhandled.map((item) => nextStop(ctx, consumer, item));
  await recordRetrying(ctx.db, consumer, stops.flatMap(aroundUntil));
  return async () => {
    await Promise.all(stops.map(({ copy }) => sendConfirmed(connection, copy)));
    const dead = stops.flatMap((stop) => (stop.kind === 'dead' && stop.event ? [stop.event.id] : []));
    await forgetRetrying(ctx.db, consumer, dead);
    await clearSuspects(ctx.db, consumer, dead);
  };
}

/** A dead letter too holds its user's later events back until it is one: a crash before that would try it again. */
function aroundUntil(stop: NextStop): { event: UserEvent; delayMs: number }[] {
  if (stop.kind === 'retry') return [stop];
  return stop.event ? [{ event: stop.event, delayMs: 0 }] : [];
}

export async function sendConfirmed(connection: BrokerConnection, copy: OutgoingMessage): Promise<void> {
  const outcome = await within(CONFIRM_TIMEOUT_MS, send(connection, copy), NOT_CONFIRMED);
  if (outcome.kind === 'confirmed') return;
  const failure = new Error(`A failed message could not be sent to ${copy.exchange}: ${outcome.reason}`);
  throw connection.closed ?? connection.blocked ?? failure;
}

const NOT_CONFIRMED = { kind: 'unknown', reason: 'not confirmed in time' } as const;

type NextStop =
  | { kind: 'retry'; copy: OutgoingMessage; event: UserEvent; delayMs: number }
  | { kind: 'dead'; copy: OutgoingMessage; event?: UserEvent };

function nextStop(ctx: PollContext, consumer: Consumer, item: Unhandled): NextStop {
  const { events } = ctx.config;
  const { message } = item;
  const queue = queueOf(events, consumer);
  const attempt = attemptOf(message);
  const fields = { consumer, eventId: message.properties.messageId, attempt };
  const retry = (event: UserEvent, delayMs: number, nextAttempt: number): NextStop => {
    const copy = copyOf(message, retryExchangeOf(events, delayMs), queue, { [ATTEMPT_HEADER]: nextAttempt });
    return { kind: 'retry', copy, event, delayMs };
  };

  if (item.verdict === 'waits') {
    const delayMs = waitingDelay(events.retryDelaysMs, item.forMs);
    ctx.log.debug('An event waits for an earlier one of its user', { ...fields, delayMs });
    return retry(item.event, delayMs, attempt);
  }
  const reason = item.reason.slice(0, MAX_ERROR_LENGTH);
  const delayMs = events.retryDelaysMs[attempt - 1];
  if (item.verdict === 'failed' && delayMs !== undefined) {
    ctx.log.warn('An event failed and will be tried again', { ...fields, reason, delayMs });
    return retry(item.event, delayMs, attempt + 1);
  }
  ctx.log.error('An event failed for good: it is a dead letter now', { ...fields, reason });
  const copy = copyOf(message, deadExchangeOf(events), queue, {
    [ATTEMPT_HEADER]: attempt,
    [QUEUE_HEADER]: queue,
    [ERROR_HEADER]: reason,
  });
  return { kind: 'dead', copy, ...(item.verdict !== 'invalid' && { event: item.event }) };
}

/**
 * The longest of the delays that ends before what is waited for comes around, or the shortest. What is overdue is
 * asked for less and less often.
 */
function waitingDelay(delaysMs: number[], forMs: number): number {
  const [shortest = 0, ...longer] = [...delaysMs].sort((a, b) => a - b);
  return longer.findLast((delayMs) => delayMs <= Math.abs(forMs)) ?? shortest;
}

export function attemptOf(message: ConsumeMessage): number {
  const attempt: unknown = message.properties.headers?.[ATTEMPT_HEADER];
  return typeof attempt === 'number' && attempt >= 1 ? attempt : 1;
}

export function copyOf(
  message: ConsumeMessage,
  exchange: string,
  routingKey: string,
  headers: Record<string, unknown>,
): OutgoingMessage {
  const { properties } = message;
  // RabbitMQ's own bookkeeping would grow with every round.
  const { 'x-death': _death, ...kept } = properties.headers ?? {};
  return {
    exchange,
    routingKey,
    body: message.content.subarray(0, MAX_EVENT_BYTES),
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
