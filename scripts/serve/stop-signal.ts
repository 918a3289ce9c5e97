import type { Log } from '../../shared/log';

/** Less than the 30 s that ECS and Kubernetes wait before they kill a process. */
const STOP_TIMEOUT_MS = 25_000;

/**
 * Aborts at the first SIGTERM or SIGINT. A second one, or a batch that does not end in time, ends the process at once. Its
 * messages are unacknowledged then, so the broker redelivers them, and no effect is lost or repeated.
 */
export function stopSignal(log: Log): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping.signal.aborted) {
        log.warn('Second signal: the process exits at once; the broker redelivers unacknowledged messages', {
          signal,
        });
        process.exit(1);
      }
      log.info('Rollcall is stopping after the current work', { signal });
      stopping.abort();
      setTimeout(() => {
        log.error(
          'The current work did not end in time: the process exits; the broker redelivers unacknowledged messages',
        );
        process.exit(1);
      }, STOP_TIMEOUT_MS).unref();
    });
  }
  return stopping.signal;
}
