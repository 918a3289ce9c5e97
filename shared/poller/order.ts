import type { RetryingEvent } from './retry-store';
import type { EventMessage } from './types';

export interface WaitingMessage extends EventMessage {
  /** Until the event that it waits for comes around; negative where that is overdue. */
  forMs: number;
}

/**
 * Takes out of a batch the events that an earlier one of the same user, which failed, is to come before. Where that
 * one is in the batch too, and ahead, nobody has to wait.
 */
export function splitByOrder(
  batch: EventMessage[],
  retrying: RetryingEvent[],
): { ready: EventMessage[]; waiting: WaitingMessage[] } {
  const ready: EventMessage[] = [];
  const waiting: WaitingMessage[] = [];
  const goingAhead = new Set<string>();
  for (const item of batch) {
    const { id, subject, sequence } = item.event;
    const ahead = retrying.filter(
      (other) =>
        !other.isHandled &&
        other.subject === subject &&
        other.sequence < sequence &&
        !goingAhead.has(other.eventId),
    );
    const next = ahead.sort((a, b) => (a.sequence < b.sequence ? -1 : 1))[0];
    if (next) {
      waiting.push({ ...item, forMs: next.dueInMs });
    } else {
      goingAhead.add(id);
      ready.push(item);
    }
  }
  return { ready, waiting };
}
