import type { RetryingEvent } from './earlier-attempts-store';
import type { EventMessage } from './types';

export interface WaitingMessage extends EventMessage {
  /** Time until the event that it waits for is retried; negative if that is overdue. */
  forMs: number;
}

/**
 * Splits a batch: later events of a user wait for the one that failed, unless that one is in the batch too, before them.
 */
export function splitByOrder(
  batch: EventMessage[],
  retrying: RetryingEvent[],
): { ready: EventMessage[]; waiting: WaitingMessage[] } {
  const ready: EventMessage[] = [];
  const waiting: WaitingMessage[] = [];
  const readyIds = new Set<string>();
  for (const item of batch) {
    const { id, subject, sequence } = item.event;
    const ahead = retrying.filter(
      (other) =>
        !other.isHandled &&
        other.subject === subject &&
        other.sequence < sequence &&
        !readyIds.has(other.eventId),
    );
    const next = ahead.sort((a, b) => (a.sequence < b.sequence ? -1 : 1))[0];
    if (next) {
      waiting.push({ ...item, forMs: next.dueInMs });
    } else {
      readyIds.add(id);
      ready.push(item);
    }
  }
  return { ready, waiting };
}
