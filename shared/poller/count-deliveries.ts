import { DEAD_LETTERS } from '../broker/topology';
import type { Invoke, InvokeOutcome } from '../lambda/invoke';
import { unavailableReason } from '../lambda/rmq-event';

export interface DeliveryCounts {
  handled: number;
  /** In some attempt: whether another one follows is not known here. */
  failed: number;
  deadLettered: number;
}

/** Counts what goes through an `invoke`: the poller's work in numbers, and not a thing that the poller needs to know. */
export function countDeliveries(invoke: Invoke): { invoke: Invoke; counts: DeliveryCounts } {
  const counts: DeliveryCounts = { handled: 0, failed: 0, deadLettered: 0 };
  const counting: Invoke = async (functionName, payload, abandoned) => {
    const outcome = await invoke(functionName, payload, abandoned);
    const messages = messagesIn(payload);
    const { failed, untried } = undoneIn(outcome, messages);
    const handled = messages - failed - untried;
    counts.failed += failed;
    if (functionName.endsWith(DEAD_LETTERS)) counts.deadLettered += handled;
    else counts.handled += handled;
    return outcome;
  };
  return { invoke: counting, counts };
}

/** What a call has not decided is tried again, as it was or one by one. */
function undoneIn(outcome: InvokeOutcome, messages: number): { failed: number; untried: number } {
  if (outcome.kind === 'unavailable') return { failed: 0, untried: messages };
  if (outcome.kind === 'failed')
    return messages === 1 ? { failed: 1, untried: 0 } : { failed: 0, untried: messages };
  const { payload } = outcome;
  if (unavailableReason(payload) !== undefined) return { failed: 0, untried: messages };
  const items: unknown[] =
    typeof payload === 'object' &&
    payload !== null &&
    'batchItemFailures' in payload &&
    Array.isArray(payload.batchItemFailures)
      ? payload.batchItemFailures
      : [];
  const untried = items.filter(
    (item) => typeof item === 'object' && item !== null && 'untried' in item && item.untried === true,
  ).length;
  return { failed: items.length - untried, untried };
}

function messagesIn(payload: unknown): number {
  if (typeof payload !== 'object' || payload === null || !('rmqMessagesByQueue' in payload)) return 0;
  return Object.values(payload.rmqMessagesByQueue ?? {}).flat().length;
}
