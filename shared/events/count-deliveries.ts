import type { Invoke, InvokeOutcome } from '../lambda/invoke';
import { DEAD_LETTERS } from './topology';

export interface DeliveryCounts {
  handled: number;
  /** In some attempt: whether another one follows is not known here. */
  failed: number;
  deadLettered: number;
}

/** Counts what goes through an `invoke`: the poller's work in numbers, and not a thing that the poller needs to know. */
export function countDeliveries(invoke: Invoke): { invoke: Invoke; counts: DeliveryCounts } {
  const counts: DeliveryCounts = { handled: 0, failed: 0, deadLettered: 0 };
  const counting: Invoke = async (functionName, payload) => {
    const outcome = await invoke(functionName, payload);
    const messages = messagesIn(payload);
    const failed = failuresIn(outcome, messages);
    if (failed === null) return outcome;
    counts.failed += failed;
    if (functionName.endsWith(DEAD_LETTERS)) counts.deadLettered += messages - failed;
    else counts.handled += messages - failed;
    return outcome;
  };
  return { invoke: counting, counts };
}

/** @returns null where nothing is decided: the call is repeated as it was, or in halves */
function failuresIn(outcome: InvokeOutcome, messages: number): number | null {
  if (outcome.kind === 'unavailable') return null;
  if (outcome.kind === 'failed') return messages === 1 ? 1 : null;
  const { payload } = outcome;
  if (typeof payload !== 'object' || payload === null || !('batchItemFailures' in payload)) return 0;
  return Array.isArray(payload.batchItemFailures) ? payload.batchItemFailures.length : 0;
}

function messagesIn(payload: unknown): number {
  if (typeof payload !== 'object' || payload === null || !('rmqMessagesByQueue' in payload)) return 0;
  return Object.values(payload.rmqMessagesByQueue ?? {}).flat().length;
}
