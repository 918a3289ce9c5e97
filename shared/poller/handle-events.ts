import type { ConsumeMessage } from 'amqplib';
import type { BrokerConnection } from '../broker/connection';
import type { Consumer } from '../broker/topology';
import { parseEvent } from '../events/catalog';
import type { Failures } from './call-function';
import { deliverEvents } from './deliver';
import { findEarlierAttempts } from './earlier-attempts-store';
import { splitByOrder } from './order';
import { forgetRetrying } from './retry-store';
import { attemptOf, MAX_EVENT_BYTES, settle, type Unhandled } from './settle';
import type { BatchResult, EventMessage, PollContext } from './types';

/**
 * Delivers a batch to its consumer function, each user's events in order, and settles the events that were not handled.
 */
export async function handleEvents(
  ctx: PollContext,
  connection: BrokerConnection,
  consumer: Consumer,
  batch: ConsumeMessage[],
  stop: AbortSignal,
): Promise<BatchResult> {
  const { events, invalid } = readBatch(batch);
  const { retrying, suspects } = await findEarlierAttempts(
    ctx.db,
    consumer,
    events.map(({ event }) => event),
  );
  const { ready, waiting } = splitByOrder(events, retrying);

  const { failures, untried, unavailable } = await deliverEvents(ctx, consumer, ready, suspects, stop);
  const open = new Set(untried.map(({ event }) => event.id));
  const unhandled = new Set([...failures.keys(), ...open, ...waiting.map(({ event }) => event.id)]);
  const handled = new Set(ready.map(({ event }) => event.id).filter((id) => !unhandled.has(id)));
  await forgetRetrying(
    ctx.db,
    consumer,
    retrying
      .filter(({ eventId, isHandled }) => isHandled || handled.has(eventId))
      .map(({ eventId }) => eventId),
  );
  const sendOn = await settle(ctx, connection, consumer, [
    ...invalid,
    ...verdicts(ready, failures),
    ...waiting.map((item) => ({ verdict: 'waits' as const, ...item })),
  ]);
  const rest = batch.filter(({ properties }) => open.has(String(properties.messageId)));
  return { sendOn, rest, ...(unavailable !== undefined && { unavailable }) };
}

/** Each event once: of two copies, the one with more attempts. */
function readBatch(batch: ConsumeMessage[]): { events: EventMessage[]; invalid: Unhandled[] } {
  const events = new Map<string, EventMessage>();
  const invalid: Unhandled[] = [];
  for (const message of batch) {
    const event = message.content.length > MAX_EVENT_BYTES ? null : parseEvent(message.content);
    if (!event || event.id !== message.properties.messageId) {
      invalid.push({ verdict: 'invalid', message, reason: 'not a valid event' });
      continue;
    }
    const copy = events.get(event.id);
    if (!copy || attemptOf(copy.message) < attemptOf(message)) events.set(event.id, { message, event });
  }
  return { events: [...events.values()], invalid };
}

/** Only the first failed event of a user counts as failed; the later ones wait, whether they were tried or not. */
function verdicts(ready: EventMessage[], failures: Failures): Unhandled[] {
  const failedSubjects = new Set<string>();
  return ready.flatMap((item): Unhandled[] => {
    const failure = failures.get(item.event.id);
    if (failure === undefined) return [];
    if (failedSubjects.has(item.event.subject)) return [{ verdict: 'waits', ...item, forMs: 0 }];
    failedSubjects.add(item.event.subject);
    return [{ verdict: failure.final ? 'permanent' : 'failed', ...item, reason: failure.reason }];
  });
}
