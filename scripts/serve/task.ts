import type { Log } from '../../shared/log';
import { pause } from '../../shared/pause';

/** How long a run lasts, as in the cloud's schedule. Each run declares again what a broker may have lost. */
const RUN_MS = 60_000;
const AFTER_FAILURE_MS = 1_000;

/** The work of a scheduled function. */
export interface Task {
  name: string;
  /** Works until the budget is spent or the signal aborts; then finishes its current work and returns the rest. */
  run(budgetMs: number, signal: AbortSignal): Promise<unknown>;
  /** The pause between two runs. */
  restMs?: number;
  /** When the current run started, by `performance.now()`. */
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
      log.error('A task failed and will be run again', { task: task.name, error });
      restMs = AFTER_FAILURE_MS;
    }
    task.runningSince = undefined;
    if (restMs > 0) await pause(restMs, signal);
  }
}
