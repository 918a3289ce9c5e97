import type { Log } from '../../shared/log';
import { pause } from '../../shared/pause';

/** How long one run lasts, as the schedule has it in the cloud: each run declares anew what a broker may have lost. */
const RUN_MS = 60_000;
const AFTER_FAILURE_MS = 1_000;

/** What a scheduled function does, over and over. */
export interface Task {
  name: string;
  /** Works until the budget is spent or the signal aborts; then finishes what it has in hand and gives back the rest. */
  run(budgetMs: number, signal: AbortSignal): Promise<unknown>;
  /** How long to rest between two runs, for what has not always something to do. */
  restMs?: number;
  /** Since when its present run is at work, by `performance.now()`. */
  runningSince?: number | undefined;
}

/** Runs the task until the signal aborts. A run that throws is logged, and the next one follows. */
export async function repeat(task: Task, log: Log, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    let restMs = task.restMs ?? 0;
    task.runningSince = performance.now();
    try {
      await task.run(RUN_MS, signal);
    } catch (error) {
      log.error('A task failed and runs again', { task: task.name, error });
      restMs = AFTER_FAILURE_MS;
    }
    task.runningSince = undefined;
    if (restMs > 0) await pause(restMs, signal);
  }
}
