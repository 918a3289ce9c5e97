import type { Log } from '../../shared/log';

/** Within the 30 s that ECS and Kubernetes wait before they kill. */
const STOP_TIMEOUT_MS = 25_000;

/**
 * Aborts at the first SIGTERM or SIGINT. A second one, or a batch that does not end in time, ends the process at once:
 * what was in hand is not acknowledged then, so the broker delivers it again, and nothing is lost or repeated.
 */
export function stopSignal(log: Log): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping.signal.aborted) {
        log.warn('A second signal: the process ends with work in hand', { signal });
        process.exit(1);
      }
      log.info('Rollcall stops after what it has in hand', { signal });
      stopping.abort();
      setTimeout(() => {
        log.error('What was in hand has not ended in time: the process ends without it');
        process.exit(1);
      }, STOP_TIMEOUT_MS).unref();
    });
  }
  return stopping.signal;
}
