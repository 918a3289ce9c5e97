import type { Entry } from './ready-list';

/** A consumer, which a queue delivers messages to. */
export interface Consumer {
  readonly exclusive: boolean;
  /** Whether prefetch limits and the socket leave room for one more message. */
  canTake(): boolean;
  deliver(entry: Entry): void;
  /** The queue was deleted (https://www.rabbitmq.com/docs/consumer-cancel). */
  queueDeleted(): void;
}

/** The consumers of a queue, which take turns unless there is a single active one. */
export class Consumers {
  /** In order of subscription, rotated by deliveries. A single active consumer is the first. */
  #list: Consumer[] = [];

  constructor(private readonly singleActive: boolean) {}

  get count(): number {
    return this.#list.length;
  }

  /** Whether one more consumer would break somebody's exclusive access. */
  refuses(exclusive: boolean): boolean {
    return this.#list.some((other) => exclusive || other.exclusive) || (exclusive && this.singleActive);
  }

  add(consumer: Consumer): void {
    this.#list.push(consumer);
  }

  remove(consumer: Consumer): void {
    this.#list = this.#list.filter((other) => other !== consumer);
  }

  /** The consumer that gets the next message, if any can take one. */
  next(): Consumer | undefined {
    if (this.singleActive) return this.#list[0]?.canTake() ? this.#list[0] : undefined;
    const index = this.#list.findIndex((consumer) => consumer.canTake());
    const [next] = index < 0 ? [] : this.#list.splice(index, 1);
    if (next) this.#list.push(next);
    return next;
  }

  /** Tells every consumer that the queue was deleted. */
  queueDeleted(): void {
    for (const consumer of [...this.#list]) consumer.queueDeleted();
  }
}
