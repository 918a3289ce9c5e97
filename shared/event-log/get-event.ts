import type { Db } from '../db/connection';
import { DomainError } from '../errors';
import { findRecorded, type RecordedEntry } from '../event-history/history-store';
import type { UserEvent } from '../events/catalog';
import type { Origin } from '../events/origin';
import { type EventDelivery, listDeliveriesOf } from '../webhooks/delivery-store';
import { findLogged } from './event-log-store';
import type { HistoryKind } from './history-kinds';
import type { LoggedEvent } from './logged-event';

export interface HistoryEntry {
  at: string;
  kind: HistoryKind;
  consumer?: string;
  /** Which attempt it was, of publishing, of the consumer or of the webhook. */
  attempt?: number;
  error?: string;
  /** Time of the next attempt. */
  dueAt?: string;
  detail?: Record<string, unknown>;
}

export interface EventWithHistory extends LoggedEvent {
  /** As it is sent. */
  event: UserEvent;
  origin: Omit<Origin, 'traceparent'>;
  traceId: string | null;
  /** In the order of time. */
  history: HistoryEntry[];
}

/**
 * An event and all that is known of its way: from the log, the inbox, the webhooks' deliveries and its recorded history.
 * @throws DomainError `not_found`
 */
export async function getEvent(db: Db, id: string): Promise<EventWithHistory> {
  const found = await findLogged(db, id);
  if (!found) throw new DomainError('not_found', { detail: 'There is no such event' });
  const { logged, event, origin } = found;
  const [recorded, deliveries] = [await findRecorded(db, id), await listDeliveriesOf(db, id)];
  const history = [...usualWay(logged), ...recorded.map(toEntry), ...deliveries.flatMap(attemptsOf(id))];
  return {
    ...logged,
    event,
    origin,
    traceId: event.traceparent?.split('-')[1] ?? null,
    // Stable: what happened within a millisecond stays as it is above.
    history: history.sort((a, b) => Date.parse(a.at) - Date.parse(b.at)),
  };
}

function usualWay({ createdAt, publishedAt, attempts, handledAt }: LoggedEvent): HistoryEntry[] {
  return [
    { at: createdAt, kind: 'committed' },
    ...(publishedAt === null ? [] : [{ at: publishedAt, kind: 'published' as const, attempt: attempts }]),
    ...Object.entries(handledAt).map(([consumer, at]) => ({ at, kind: 'handled' as const, consumer })),
  ];
}

function toEntry({ at, kind, consumer, attempt, error, dueAt, detail }: RecordedEntry): HistoryEntry {
  return {
    at: at.toISOString(),
    kind,
    ...(consumer !== null && { consumer }),
    ...(attempt !== null && { attempt }),
    ...(error !== null && { error }),
    ...(dueAt !== null && { dueAt: dueAt.toISOString() }),
    ...(detail !== null && { detail }),
  };
}

/** @param deliveryId a delivery has the id of its event */
const attemptsOf =
  (deliveryId: string) =>
  ({ endpointId, host, attempts, nextAttemptAt }: EventDelivery): HistoryEntry[] =>
    attempts.map(({ attempt, startedAt, responseStatus, error }, index) => ({
      at: startedAt,
      kind: 'webhook_attempt',
      consumer: 'webhooks',
      attempt,
      ...(error !== null && { error }),
      ...(nextAttemptAt !== null && index === attempts.length - 1 && { dueAt: nextAttemptAt }),
      detail: { endpointId, host, deliveryId, ...(responseStatus !== null && { status: responseStatus }) },
    }));
