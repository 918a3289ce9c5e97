import type { ConsumeMessage } from 'amqplib';
import type { Config } from '../config';

/** What the broker has delivered and nobody has taken yet: at most the prefetch, so it needs no bound of its own. */
export class MessageBuffer {
  readonly #messages: ConsumeMessage[] = [];
  #error: Error | undefined;
  #wake: () => void = () => {};

  push(message: ConsumeMessage): void {
    this.#messages.push(message);
    this.#wake();
  }

  /** From now on, looking into the buffer throws this. */
  fail(error: Error): void {
    this.#error ??= error;
    this.#wake();
  }

  /** Makes `changed` look again, for whoever waits on something besides messages. */
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

  /** Resolves at the next push, failure or wake, at the latest after the time given. */
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
 * The next messages: as many as a batch holds, or what has come when the queue falls quiet, or when the window
 * closes. A lone message so waits for the quiet time only, and a steady trickle not longer than the window.
 * @returns nothing where the signal aborts first
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
