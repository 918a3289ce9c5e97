import { createInvoke, type InvokeOutcome } from '../shared/lambda/invoke';

const AFTER_FAILURE_MS = 500;

export interface Schedule {
  /** After the functions were loaded anew: that ended the runs under way, and nobody tells who waits for them. */
  restart(): void;
  stop(): void;
}

/**
 * What EventBridge does in the cloud, through the same Lambda endpoint: runs each function at once, and again as
 * soon as its time budget is spent.
 */
export function startSchedule(
  functionNames: string[],
  endpoint: string,
  onFailure: (functionName: string, reason: string) => void,
): Schedule {
  const invoke = createInvoke({ endpoint, functionPrefix: '' });
  let round = 0;

  async function repeat(functionName: string, ownRound: number): Promise<void> {
    while (ownRound === round) {
      const outcome: InvokeOutcome = await invoke(functionName, {});
      if (outcome.kind === 'answered' || ownRound !== round) continue;
      onFailure(functionName, outcome.reason);
      await new Promise((resolve) => setTimeout(resolve, AFTER_FAILURE_MS));
    }
  }

  function start(): void {
    round += 1;
    for (const name of functionNames) void repeat(name, round);
  }

  start();
  return {
    restart: start,
    stop: () => {
      round += 1;
    },
  };
}
