import { setTimeout as wait } from 'node:timers/promises';
import { createInvoke, type InvokeOutcome } from '../shared/lambda/invoke';

const AFTER_FAILURE_MS = 500;
const HOUR_MS = 60 * 60 * 1000;

/** What serverless.yml schedules, and how long it rests between two runs: not at all where a run lasts its minute. */
export const SCHEDULED: Record<string, number> = {
  'relay-outbox': 0,
  'poll-queues': 0,
  'send-webhooks': 0,
  'purge-events': HOUR_MS,
};

export interface Schedule {
  /** After the functions were loaded anew: that ended the runs under way, and nobody tells who waits for them. */
  restart(): void;
  stop(): void;
}

/**
 * What EventBridge does in the cloud, through the same Lambda endpoint: runs each function at once, and again as
 * soon as its time budget is spent, or after its rest.
 */
export function startSchedule(
  functionPrefix: string,
  endpoint: string,
  onFailure: (functionName: string, reason: string) => void,
): Schedule {
  const invoke = createInvoke({ endpoint, functionPrefix });
  let round = 0;

  async function repeat(functionName: string, restMs: number, ownRound: number): Promise<void> {
    while (ownRound === round) {
      const outcome: InvokeOutcome = await invoke(functionName, {});
      if (ownRound !== round) return;
      if (outcome.kind !== 'answered') onFailure(functionName, outcome.reason);
      const pauseMs = outcome.kind === 'answered' ? restMs : AFTER_FAILURE_MS;
      // Keeps nobody from ending: a test that has stopped the schedule is through.
      if (pauseMs > 0) await wait(pauseMs, undefined, { ref: false });
    }
  }

  function start(): void {
    round += 1;
    for (const [name, restMs] of Object.entries(SCHEDULED)) {
      void repeat(`${functionPrefix}${name}`, restMs, round);
    }
  }

  start();
  return {
    restart: start,
    stop: () => {
      round += 1;
    },
  };
}
