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
 * @returns an empty batch if the signal aborts first
 */
export async function collectBatch(
  buffer: MessageBuffer,
  poll: Pick<Config['poll'], 'batchSize' | 'batchWindowMs' | 'batchQuietMs'>,
  stop: AbortSignal,
): Promise<ConsumeMessage[]> {
  while (buffer.length === 0) {
    if (stop.aborted) return [];
    await buffer.changed();
  }
  const windowEnd = performance.now() + poll.batchWindowMs;
  let seen = 0;
  while (buffer.length > seen && buffer.length < poll.batchSize && !stop.aborted) {
    seen = buffer.length;
    const windowLeft = windowEnd - performance.now();
    if (windowLeft <= 0) break;
    await buffer.changed(Math.min(poll.batchQuietMs, windowLeft));
  }
  return stop.aborted ? [] : buffer.take(poll.batchSize);
}
