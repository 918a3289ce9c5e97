import { DEAD_LETTERS } from '../broker/topology';
import type { Invoke, InvokeOutcome } from '../lambda/invoke';
import { unavailableReason } from '../lambda/rmq-event';

export interface DeliveryCounts {
  handled: number;
  /** Failed attempts, whether they are retried or not. */
  failed: number;
  deadLettered: number;
}

/** Wraps an `invoke` to count the poller's work, so that the poller does not have to. */
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

/** The messages of a call that failed or remain untried. A failed batch is retried message by message. */
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
