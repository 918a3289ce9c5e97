import { setTimeout as wait } from 'node:timers/promises';
import { createInvoke, type InvokeOutcome } from '../shared/lambda/invoke';

const AFTER_FAILURE_MS = 500;
const HOUR_MS = 60 * 60 * 1000;

/** The functions that serverless.yml schedules, and their pause between two runs: 0 for those that run all the time. */
export const SCHEDULED: Record<string, number> = {
  'relay-outbox': 0,
  'poll-queues': 0,
  'send-webhooks': 0,
  'purge-events': HOUR_MS,
  'follow-up-erasures': HOUR_MS,
};

export interface Schedule {
  stop(): void;
}

/**
 * Replaces EventBridge: invokes each function through the same Lambda endpoint, at once, and again when its time budget is
 * spent, or after its pause.
 */
export function startSchedule(
  functionPrefix: string,
  endpoint: string,
  onFailure: (functionName: string, reason: string) => void,
): Schedule {
  const invoke = createInvoke({ endpoint, functionPrefix });
  let stopped = false;

  async function repeat(functionName: string, restMs: number): Promise<void> {
    while (!stopped) {
      const outcome: InvokeOutcome = await invoke(functionName, {});
      if (stopped) return;
      if (outcome.kind !== 'answered') onFailure(functionName, outcome.reason);
      const pauseMs = outcome.kind === 'answered' ? restMs : AFTER_FAILURE_MS;
      // Without a reference, so that a test that has stopped the schedule can end.
      if (pauseMs > 0) await wait(pauseMs, undefined, { ref: false });
    }
  }

  for (const [name, restMs] of Object.entries(SCHEDULED)) void repeat(`${functionPrefix}${name}`, restMs);
  return {
    stop: () => {
      stopped = true;
    },
  };
}
