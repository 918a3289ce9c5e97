import type { OutageLog } from '../broker/outage-log';
import type { PolledQueue } from '../broker/topology';
import { endProblem, recordProblem } from '../tasks/task-run-store';
import type { PollContext } from './types';

/**
 * Logs that a consumer function is unavailable, and has the health check name it until it is available again.
 * @returns to be called after each batch, with the reason why the function was unavailable
 */
export function availabilityOf(
  ctx: PollContext,
  polled: PolledQueue,
  outageLog: OutageLog,
): (reason: string | undefined) => void {
  const message = 'A consumer function is unavailable';
  const problem = `${message}: ${polled}`;
  let recorded: Promise<void> | undefined;
  return (reason) => {
    if (reason === undefined) {
      void recorded?.then(() => endProblem(ctx, 'poll-queues', problem));
      recorded = undefined;
    } else if (outageLog.logOnce('warn', message, { function: polled, reason })) {
      recorded = recordProblem(ctx, 'poll-queues', problem);
    }
  };
}
