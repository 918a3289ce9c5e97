import type { EventEmitter } from 'node:events';
import type { Log } from '../../shared/log';
import { STUCK_AFTER_MS, stuckTasks } from './liveness';
import type { Task } from './task';

/** Longer than a process takes to stop, so that none is told twice. */
export const HEARTBEAT_MS = 30_000;
const MAX_MISSED = STUCK_AFTER_MS / HEARTBEAT_MS;

/** What a process regularly sends to the one that supervises it. */
export interface Heartbeat {
  /** The names of its tasks that are stuck. */
  stuck: string[];
}

/** A `Worker` of `node:cluster`. */
interface Supervised extends EventEmitter {
  process: { pid?: number | undefined; kill(signal: NodeJS.Signals): unknown };
}

/** Sends heartbeats until the process ends. One that is blocked sends none. */
export function sendHeartbeats(tasks: Task[], send: (heartbeat: Heartbeat) => void): void {
  setInterval(() => send({ stuck: stuckTasks(tasks) }), HEARTBEAT_MS).unref();
}

/**
 * Ends a process whose tasks are stuck, or whose heartbeats do not come. The platform cannot: the processes share a port, so any
 * of them may answer its liveness check.
 */
export function endIfHung(worker: Supervised, log: Log): void {
  const { pid } = worker.process;
  let missed = 0;
  worker.on('message', ({ stuck }: Heartbeat) => {
    missed = 0;
    if (stuck.length === 0) return;
    log.error('Tasks of a process are stuck: it is stopped and replaced', { pid, stuck });
    worker.process.kill('SIGTERM');
  });
  // Counts heartbeats instead of measuring time, which also passes while a container is paused with all its processes.
  const timer = setInterval(() => {
    missed += 1;
    if (missed <= MAX_MISSED) return;
    log.error('A process is blocked: it is killed and replaced', { pid });
    worker.process.kill('SIGKILL');
  }, HEARTBEAT_MS);
  worker.once('exit', () => clearInterval(timer));
}
