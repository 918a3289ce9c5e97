import type { Queue } from '../../model/queue';
import type { Entry } from '../../model/ready-list';
import { AmqpError } from '../../model/values/errors';
import type { ChannelConsumer } from './consumer';

interface Delivery {
  readonly queue: Queue;
  readonly entry: Entry;
  /** Undefined for basic.get. */
  readonly consumer: ChannelConsumer | undefined;
}

/** The delivery tags of a channel, and the deliveries that its client has not acknowledged yet. */
export class Deliveries {
  /** The prefetch limit of the whole channel; 0 means none. */
  prefetch = 0;
  readonly #unacked = new Map<number, Delivery>();
  /** How many of them went to consumers: basic.get is not limited. */
  #consumed = 0;
  #lastTag = 0;

  /** Whether the prefetch limit leaves room for one more message. */
  get hasRoom(): boolean {
    return this.prefetch === 0 || this.#consumed < this.prefetch;
  }

  nextTag(): number {
    this.#lastTag += 1;
    return this.#lastTag;
  }

  /** Returns the delivery tag of a message. With `noAck` the message is settled at once. */
  add(queue: Queue, entry: Entry, noAck: boolean, consumer?: ChannelConsumer): number {
    const tag = this.nextTag();
    if (noAck) queue.settle([entry]);
    else {
      this.#unacked.set(tag, { queue, entry, consumer });
      this.#count(consumer, 1);
    }
    return tag;
  }

  /** Acknowledges a delivery; with `multiple`, all up to this tag, and every one for tag 0. */
  settle(tag: number, multiple: boolean): void {
    for (const [queue, entries] of byQueue(this.#remove(tag, multiple))) queue.settle(entries);
  }

  /** Returns them to their queues, to be delivered again. */
  requeue(tag: number, multiple: boolean): void {
    for (const [queue, entries] of byQueue(this.#remove(tag, multiple))) queue.requeue(entries);
  }

  /** Rejects them for good: their queues drop or dead-letter them. */
  reject(tag: number, multiple: boolean): void {
    for (const { queue, entry } of this.#remove(tag, multiple)) queue.reject(entry);
  }

  /** Oldest first. */
  #remove(tag: number, multiple: boolean): Delivery[] {
    if (!this.#unacked.has(tag) && !(multiple && tag === 0)) {
      throw new AmqpError('PRECONDITION_FAILED', `unknown delivery tag ${tag}`);
    }
    const removed: Delivery[] = [];
    for (const candidate of multiple ? this.#unacked.keys() : [tag]) {
      if (multiple && tag !== 0 && candidate > tag) break;
      const delivery = this.#unacked.get(candidate);
      if (!delivery) continue;
      this.#unacked.delete(candidate);
      this.#count(delivery.consumer, -1);
      removed.push(delivery);
    }
    return removed;
  }

  #count(consumer: ChannelConsumer | undefined, change: number): void {
    if (!consumer) return;
    consumer.unacked += change;
    this.#consumed += change;
  }
}

function byQueue(deliveries: readonly Delivery[]): Map<Queue, Entry[]> {
  const groups = new Map<Queue, Entry[]>();
  for (const { queue, entry } of deliveries) {
    const entries = groups.get(queue);
    if (entries) entries.push(entry);
    else groups.set(queue, [entry]);
  }
  return groups;
}
