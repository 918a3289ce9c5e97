import type { Log } from '../../shared/log';

/** Less than the 30 s that ECS and Kubernetes wait before they kill a process. */
const STOP_TIMEOUT_MS = 25_000;

/** What the process that supervises this one sends to stop it. */
export const STOP_MESSAGE = 'stop';

/**
 * Aborts at the first SIGTERM, SIGINT or STOP_MESSAGE. A second signal, or a batch that does not end in time, ends the
 * process at once. Its messages are unacknowledged then, so the broker redelivers them, and no effect is lost or repeated.
 */
export function stopSignal(log: Log): AbortSignal {
  const stopping = new AbortController();
  const stop = (fields: { signal?: string }) => {
    if (stopping.signal.aborted) return;
    log.info('Rollcall is stopping after the current work', fields);
    stopping.abort();
    setTimeout(() => {
      log.error(
        'The current work did not end in time: the process exits; the broker redelivers unacknowledged messages',
      );
      process.exit(1);
    }, STOP_TIMEOUT_MS).unref();
  };
  process.on('message', (message) => {
    if (message === STOP_MESSAGE) stop({});
  });
  // The message may come before the signal that a terminal sends to all: that one is not a second signal.
  let signals = 0;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      signals += 1;
      if (signals > 1) {
        log.warn('Second signal: the process exits at once; the broker redelivers unacknowledged messages', {
          signal,
        });
        process.exit(1);
      }
      stop({ signal });
    });
  }
  return stopping.signal;
}
