import type { ConsumeMessage } from 'amqplib';
import type { Config } from '../config';

/** Delivered messages that are not in a batch yet. The prefetch limits their number. */
export class MessageBuffer {
  readonly #messages: ConsumeMessage[] = [];
  #error: Error | undefined;
  #wake: () => void = () => {};

  push(message: ConsumeMessage): void {
    this.#messages.push(message);
    this.#wake();
  }

  /** From now on, reading the buffer throws this error. */
  fail(error: Error): void {
    this.#error ??= error;
    this.#wake();
  }

  /** Resolves a pending `changed`, for callers that also wait for something else. */
  wake(): void {
    this.#wake();
  }

  throwIfFailed(): void {
    if (this.#error) throw this.#error;
  }

  get length(): number {
    this.throwIfFailed();
    return this.#messages.length;
  }

  take(count: number): ConsumeMessage[] {
    return this.#messages.splice(0, count);
  }

  /** Resolves at the next push, failure or wake, or after the timeout. */
  changed(timeoutMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = timeoutMs === undefined ? undefined : setTimeout(resolve, timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/**
 * Collects the next batch: returns when it is full, when no message has arrived for the quiet time, or when the window
 * closes. A single message waits only for the quiet time, a steady trickle at most for the window.
 * @param earliest by the clock of `performance.now()`: until then it waits for more messages, unless the batch is full
 * @returns an empty batch if the signal aborts first
 */
export async function collectBatch(
  buffer: MessageBuffer,
  poll: Pick<Config['poll'], 'batchSize' | 'batchWindowMs' | 'batchQuietMs'>,
  stop: AbortSignal,
  earliest = 0,
): Promise<ConsumeMessage[]> {
  while (buffer.length === 0) {
    if (stop.aborted) return [];
    await buffer.changed();
  }
  const windowEnd = performance.now() + poll.batchWindowMs;
  let seen = 0;
  while (buffer.length < poll.batchSize && !stop.aborted) {
    const now = performance.now();
    const quietMs = buffer.length > seen ? Math.min(poll.batchQuietMs, windowEnd - now) : 0;
    const waitMs = Math.max(earliest - now, quietMs);
    if (waitMs <= 0) break;
    seen = buffer.length;
    await buffer.changed(waitMs);
  }
  return stop.aborted ? [] : buffer.take(poll.batchSize);
}

/** Share of the time that batches may take before they are full: a quarter. */
const PAUSE_PER_WORK = 3;

/**
 * When the next batch may begin, unless it is full. A batch costs about as much for one message as for ten, so the longer
 * the last one took, the longer the next one waits for messages to share its cost, at most for the window. An idle
 * queue's message does not wait.
 */
export function earliestAfter(
  startedAt: number,
  endedAt: number,
  { batchWindowMs }: Pick<Config['poll'], 'batchWindowMs'>,
): number {
  return endedAt + Math.min(batchWindowMs, (endedAt - startedAt) * PAUSE_PER_WORK);
}
