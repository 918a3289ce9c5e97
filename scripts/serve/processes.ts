import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { PARTS, type Part, type ServeSettings } from './settings';

const RESTART_DELAY_MS = 1_000;

/**
 * Runs as many processes as are wanted, which share the port. The first has all parts; the others serve HTTP alone. One
 * that dies is replaced; one that cannot even start ends them all.
 */
export async function superviseProcesses({ parts, processes }: ServeSettings): Promise<void> {
  // The processes accept connections themselves. Handed out by this one, a connection that was on its way to a process that
  // is killed would belong to nobody, and its client would wait.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  let stopping = false;
  const running = new Set<Worker>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      stopping = true;
      // From a terminal they have it already, and take a second one for impatience.
      if (signal === 'SIGTERM') for (const worker of running) worker.process.kill(signal);
    });
  }

  async function keepRunning(own: readonly Part[]): Promise<void> {
    while (!stopping) {
      const worker = cluster.fork({ SERVE: own.join() });
      running.add(worker);
      let served = false;
      worker.once('listening', () => {
        served = true;
      });
      await once(worker, 'exit');
      running.delete(worker);
      if (stopping) return;
      if (!served) throw new Error('A process could not start: see above');
      await wait(RESTART_DELAY_MS);
    }
  }

  const own = PARTS.filter((part) => parts.has(part));
  const http = own.filter((part) => part === 'http');
  const others = http.length > 0 ? processes - 1 : 0;
  await Promise.all([keepRunning(own), ...Array.from({ length: others }, () => keepRunning(http))]);
}
