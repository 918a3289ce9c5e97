import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { createLog } from '../../shared/log';
import { endIfHung } from './heartbeat';
import { HASH_MEMORY, SMALL_HEAP } from './memory';
import { PARTS, type Part, type ServeSettings } from './settings';
import { STOP_MESSAGE } from './stop-signal';

const RESTART_DELAY_MS = 1_000;

/**
 * Runs the configured number of processes, which share the port. The first has all parts; the others serve only HTTP. A
 * process that dies or hangs is replaced; one that cannot start ends them all.
 */
export async function superviseProcesses({ parts, processes }: ServeSettings): Promise<void> {
  // The processes accept connections themselves. If this one passed them on, no process would own a connection that was on
  // its way to a process that is killed, and its client would wait.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  // Without arguments: parts on the command line would replace those that `SERVE` gives to each process.
  cluster.setupPrimary({ args: [], execArgv: [SMALL_HEAP, ...process.execArgv] });
  const log = createLog('error');
  let stopping = false;
  const running = new Set<Worker>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      stopping = true;
      for (const worker of running) {
        // A terminal sends SIGINT to all processes, `kill` to this one alone; a second signal would end them at once.
        if (signal === 'SIGINT') askToStop(worker);
        else worker.process.kill(signal);
      }
    });
  }

  async function keepRunning(own: readonly Part[]): Promise<void> {
    while (!stopping) {
      const worker = cluster.fork({ ...HASH_MEMORY, ...process.env, SERVE: own.join() });
      running.add(worker);
      endIfHung(worker, log);
      let served = false;
      worker.once('listening', () => {
        served = true;
        // It was not listening when it was asked to.
        if (stopping) askToStop(worker);
      });
      await once(worker, 'exit');
      running.delete(worker);
      if (stopping) return;
      if (!served) throw new Error('A process failed to start: see above');
      await wait(RESTART_DELAY_MS);
    }
  }

  const own = PARTS.filter((part) => parts.has(part));
  const http = own.filter((part) => part === 'http');
  const others = http.length > 0 ? processes - 1 : 0;
  await Promise.all([keepRunning(own), ...Array.from({ length: others }, () => keepRunning(http))]);
}

function askToStop(worker: Worker): void {
  // One that is ending has no channel any more, which needs no handling.
  worker.send(STOP_MESSAGE, () => {});
}
