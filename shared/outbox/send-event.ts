import type { BrokerConnection } from '../broker/connection';
import { mirrorMessages } from '../broker/mirrors';
import { type OutgoingMessage, type SendOutcome, send } from '../broker/send';
import type { Config } from '../config';
import type { UserEvent } from '../events/catalog';

/** How long to avoid an exchange that the broker denied: each try closes the channel and sends the event itself again. */
const DENIED_MS = 60_000;

export type SendEvent = (connection: BrokerConnection, event: UserEvent) => Promise<SendOutcome>;

/**
 * Sends an event, then its copies for EVENT_MIRRORS. It counts as sent when the broker has confirmed all of them;
 * where one fails, all are sent again later, under the same `messageId`. While the broker denies a mirror's exchange,
 * events that it concerns are refused before anything is sent, and others go out.
 *
 * One after the other: the event goes first, because its consumers drop what they get twice, which others may not.
 */
export function createEventSender(
  config: Config['events'],
  clock: () => number = () => performance.now(),
): SendEvent {
  const denied = new Map<string, { until: number; reason: string }>();

  function denialOf(exchange: string): string | undefined {
    const denial = denied.get(exchange);
    if (!denial || denial.until > clock()) return denial?.reason;
    denied.delete(exchange);
    return undefined;
  }

  return async (connection, event) => {
    const copies = mirrorMessages(config.mirrors, event);
    for (const { exchange } of copies) {
      const reason = denialOf(exchange);
      if (reason !== undefined) return { kind: 'refused', reason };
    }
    const outcome = await send(connection, eventMessage(config, event));
    if (outcome.kind !== 'confirmed') return outcome;
    for (const copy of copies) {
      const copied = await send(connection, copy);
      if (copied.kind === 'confirmed') continue;
      const reason = `EVENT_MIRRORS, exchange '${copy.exchange}': ${copied.reason}`;
      if (!isDenied(connection, copy)) return { kind: copied.kind, reason };
      denied.set(copy.exchange, { until: clock() + DENIED_MS, reason });
      return { kind: 'refused', reason };
    }
    return outcome;
  };
}

/** Sends an event to one queue, past the exchange. */
export async function sendToQueue(
  connection: BrokerConnection,
  config: Config['events'],
  event: UserEvent,
  queue: string,
): Promise<SendOutcome> {
  const message = { ...eventMessage(config, event), exchange: '', routingKey: queue };
  const outcome = await send(connection, message);
  return outcome.kind === 'unknown' && isDenied(connection, message)
    ? { kind: 'refused', reason: outcome.reason }
    : outcome;
}

/** Whether the broker closed the channel over a message to this exchange: trying the same again at once cannot help. */
function isDenied({ closed }: BrokerConnection, { exchange }: OutgoingMessage): boolean {
  return closed !== null && closed.refusedExchange === (exchange === '' ? 'amq.default' : exchange);
}

/** The event on the wire: CloudEvents' structured mode, whole in the body, and what brokers filter and show beside it. */
export function eventMessage(config: Config['events'], event: UserEvent): OutgoingMessage {
  return {
    exchange: config.exchange,
    routingKey: event.type,
    body: Buffer.from(JSON.stringify(event)),
    properties: {
      messageId: event.id,
      type: event.type,
      appId: 'rollcall',
      contentType: 'application/cloudevents+json',
      timestamp: Math.floor(Date.parse(event.time) / 1000),
      headers: event.traceparent === undefined ? {} : { traceparent: event.traceparent },
    },
  };
}
