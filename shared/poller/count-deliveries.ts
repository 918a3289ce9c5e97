import { DEAD_LETTERS } from '../broker/topology';
import type { Invoke, InvokeOutcome } from '../lambda/invoke';
import { BEHIND_A_FAILURE, unavailableReason } from '../lambda/rmq-event';

export interface DeliveryCounts {
  handled: number;
  /** Failed attempts, whether they are retried or not; not what only waits for an earlier event of its user. */
  failed: number;
  deadLettered: number;
}

/** Wraps an `invoke` to count the poller's work, so that the poller does not have to. */
export function countDeliveries(invoke: Invoke): { invoke: Invoke; counts: DeliveryCounts } {
  const counts: DeliveryCounts = { handled: 0, failed: 0, deadLettered: 0 };
  const counting: Invoke = async (functionName, payload, abandoned) => {
    const messages = messagesIn(payload);
    // The poller retries them, whatever the function answers later, and on Lambda the aborted call looks unavailable.
    abandoned?.addEventListener('abort', () => (counts.failed += failedTogether(messages)), { once: true });
    const outcome = await invoke(functionName, payload, abandoned);
    if (abandoned?.aborted) return outcome;
    const { failed, untried } = undoneIn(outcome, messages);
    const handled = messages - failed - untried;
    counts.failed += failed;
    if (functionName.endsWith(DEAD_LETTERS)) counts.deadLettered += handled;
    else counts.handled += handled;
    return outcome;
  };
  return { invoke: counting, counts };
}

/** The messages of a failed call that count as failed. A failed batch is retried message by message. */
const failedTogether = (messages: number) => (messages === 1 ? 1 : 0);

/** The messages of a call that failed or remain untried. */
function undoneIn(outcome: InvokeOutcome, messages: number): { failed: number; untried: number } {
  if (outcome.kind === 'unavailable') return { failed: 0, untried: messages };
  if (outcome.kind === 'failed') {
    const failed = failedTogether(messages);
    return { failed, untried: messages - failed };
  }
  const { payload } = outcome;
  if (unavailableReason(payload) !== undefined) return { failed: 0, untried: messages };
  const items: unknown[] =
    typeof payload === 'object' &&
    payload !== null &&
    'batchItemFailures' in payload &&
    Array.isArray(payload.batchItemFailures)
      ? payload.batchItemFailures
      : [];
  const untried = items.filter(isUntried).length;
  return { failed: items.length - untried, untried };
}

function isUntried(item: unknown): boolean {
  if (typeof item !== 'object' || item === null) return false;
  return (
    ('untried' in item && item.untried === true) || ('reason' in item && item.reason === BEHIND_A_FAILURE)
  );
}

function messagesIn(payload: unknown): number {
  if (typeof payload !== 'object' || payload === null || !('rmqMessagesByQueue' in payload)) return 0;
  return Object.values(payload.rmqMessagesByQueue ?? {}).flat().length;
}
