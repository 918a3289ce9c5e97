import type { ConsumeMessage } from 'amqplib';
import type { BrokerConnection } from '../broker/connection';
import { type OutgoingMessage, send, within } from '../broker/send';
import type { FailedMessage } from './deliver';
import type { PollContext } from './poller';
import { type Consumer, deadExchangeOf, queueOf, retryExchangeOf } from './topology';

/** Counted by us: `x-death` counts hops, differs between brokers, and a redrive would have to forge it. */
export const ATTEMPT_HEADER = 'rollcall-attempt';
const CONFIRM_TIMEOUT_MS = 10_000;
const MAX_ERROR_LENGTH = 1_000;

/**
 * Sends every failed message on its way, to the retry queue for its attempt or to the dead letters, and waits for
 * the confirms. Only then may the caller acknowledge the originals: a crash in between repeats a message, and
 * never loses one.
 * @throws where a copy was not confirmed
 */
export async function settleFailed(
  ctx: PollContext,
  connection: BrokerConnection,
  consumer: Consumer,
  failed: FailedMessage[],
): Promise<void> {
  const sends = failed.map(async (item) => {
    const copy = nextStop(ctx, consumer, item);
    const outcome = await within(CONFIRM_TIMEOUT_MS, send(connection, copy), NOT_CONFIRMED);
    if (outcome.kind !== 'confirmed') {
      throw new Error(`A failed message could not be sent to ${copy.exchange}: ${outcome.reason}`);
    }
  });
  await Promise.all(sends);
}

const NOT_CONFIRMED = { kind: 'unknown', reason: 'not confirmed in time' } as const;

function nextStop(
  ctx: PollContext,
  consumer: Consumer,
  { message, reason, final }: FailedMessage,
): OutgoingMessage {
  const { events } = ctx.config;
  const queue = queueOf(events, consumer);
  const attempt = attemptOf(message);
  const delayMs = final ? undefined : events.retryDelaysMs[attempt - 1];
  const error = reason.slice(0, MAX_ERROR_LENGTH);
  const fields = { consumer, eventId: message.properties.messageId, attempt, reason: error };
  if (delayMs !== undefined) {
    ctx.log.warn('An event failed and will be tried again', { ...fields, delayMs });
    return copyOf(message, retryExchangeOf(events, delayMs), queue, { [ATTEMPT_HEADER]: attempt + 1 });
  }
  ctx.log.error('An event failed for good: it is a dead letter now', fields);
  return copyOf(message, deadExchangeOf(events), queue, {
    [ATTEMPT_HEADER]: attempt,
    'rollcall-queue': queue,
    'rollcall-error': error,
  });
}

function attemptOf(message: ConsumeMessage): number {
  const attempt: unknown = message.properties.headers?.[ATTEMPT_HEADER];
  return typeof attempt === 'number' && attempt >= 1 ? attempt : 1;
}

function copyOf(
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
