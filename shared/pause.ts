import { setTimeout as wait } from 'node:timers/promises';

/** Waits, or for less where the signal aborts. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await wait(Math.max(0, ms), undefined, { signal }).catch((error: unknown) => {
    if (!signal?.aborted) throw error;
  });
}
