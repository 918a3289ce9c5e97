import { type Consumer, Consumers } from './consumers';
import type { QueueDefinition, QueueSettings } from './queue-settings';
import { type Entry, ReadyList } from './ready-list';
import { Timer } from './timer';
import type { Message } from './values/message';

/** Why a message was dead-lettered (https://www.rabbitmq.com/docs/dlx). */
export type DeathReason = 'rejected' | 'expired' | 'maxlen' | 'delivery_limit';

/** What a queue needs from its virtual host. */
export interface QueueOwner {
  /** Dead-letters a message, then records that its entry, if it had one, left the queue. */
  died(queue: Queue, message: Message, reason: DeathReason, entry?: Entry): void;
  added(queue: Queue, entry: Entry): void;
  removed(queue: Queue, entries: readonly Entry[]): void;
  /** The queue was unused for as long as `x-expires` says. */
  expired(queue: Queue): void;
}

/** A queue: its messages in order, and the consumers that it delivers them to. */
export class Queue {
  readonly ready = new ReadyList();
  readonly unacked = new Set<Entry>();
  readonly consumers: Consumers;
  #nextPosition = 1;
  readonly #messageTimer = new Timer(() => this.#expireHead());
  readonly #unusedTimer = new Timer(() => this.owner.expired(this));
  #stopped = false;

  constructor(
    readonly definition: QueueDefinition,
    readonly settings: QueueSettings,
    private readonly owner: QueueOwner,
  ) {
    this.consumers = new Consumers(settings.singleActiveConsumer);
    this.touch();
  }

  get name(): string {
    return this.definition.name;
  }

  get durable(): boolean {
    return this.definition.durable;
  }

  /** Appends a message; false if the queue is full and refuses it (`x-overflow` reject-publish). */
  publish(message: Message): boolean {
    const { overflow, messageTtl, quorum } = this.settings;
    if (overflow !== 'drop-head' && this.#isFull(1, message.content.length)) {
      if (overflow === 'reject-publish-dlx') this.owner.died(this, message, 'maxlen');
      return false;
    }
    const now = Date.now();
    const ttl = Math.min(
      messageTtl ?? Number.POSITIVE_INFINITY,
      Number(message.expiration ?? Number.POSITIVE_INFINITY),
    );
    const entry: Entry = {
      message,
      position: this.#nextPosition++,
      durable: this.durable && (message.persistent || quorum),
      expiresAt: Number.isFinite(ttl) ? now + ttl : undefined,
      redelivered: false,
      returns: 0,
    };
    if (entry.durable) this.owner.added(this, entry);
    this.ready.push(entry);
    this.dispatch(now);
    this.#dropOverflow();
    return true;
  }

  /** Appends a message from the journal. It may have been delivered before the restart. */
  restore(message: Message, position: number, expiresAt: number | undefined): void {
    this.#nextPosition = position + 1;
    this.ready.push({ message, position, durable: true, expiresAt, redelivered: true, returns: 0 });
  }

  /**
   * Delivers waiting messages to the consumers that can take one.
   *
   * @param now the time of publishing, by which even a message with a TTL of 0 is delivered if a consumer is waiting
   */
  dispatch(now = Date.now()): void {
    for (;;) {
      const consumer = this.ready.length > 0 ? this.consumers.next() : undefined;
      const entry = consumer && this.#takeUnexpired(now);
      if (!entry) break;
      this.unacked.add(entry);
      consumer.deliver(entry);
    }
    this.#expireHead();
  }

  /** Takes the first message for basic.get. */
  take(): Entry | undefined {
    this.touch();
    const entry = this.#takeUnexpired(Date.now());
    if (entry) this.unacked.add(entry);
    return entry;
  }

  /** Removes messages that were acknowledged, or delivered to a consumer without acknowledgements. */
  settle(entries: readonly Entry[]): void {
    if (this.#stopped) return;
    for (const entry of entries) this.unacked.delete(entry);
    this.owner.removed(this, entries);
  }

  /** Returns delivered messages to their original positions. */
  requeue(entries: readonly Entry[]): void {
    if (this.#stopped) return;
    const kept: Entry[] = [];
    for (const entry of entries) {
      entry.redelivered = true;
      entry.returns += 1;
      this.unacked.delete(entry);
      if (entry.returns > this.settings.deliveryLimit) this.#discard(entry, 'delivery_limit');
      else kept.push(entry);
    }
    this.ready.insert(kept);
    this.dispatch();
    this.#dropOverflow();
  }

  /** Dead-letters a message that a consumer rejected without requeueing it. */
  reject(entry: Entry): void {
    if (!this.#stopped) this.#discard(entry, 'rejected');
  }

  /** Drops the waiting messages and returns how many there were. */
  purge(): number {
    this.#expireHead();
    const entries = this.ready.clear();
    this.owner.removed(this, entries);
    return entries.length;
  }

  subscribe(consumer: Consumer): void {
    this.consumers.add(consumer);
    this.touch();
    this.dispatch();
  }

  /** Removes a consumer. The caller dispatches once it has returned the consumer's messages. */
  unsubscribe(consumer: Consumer): void {
    this.consumers.remove(consumer);
    this.touch();
  }

  /** Restarts the time of `x-expires`: a queue is used by consumers, basic.get and queue.declare. */
  touch(): void {
    const { expires } = this.settings;
    const runs = expires !== undefined && this.consumers.count === 0 && !this.#stopped;
    this.#unusedTimer.set(runs ? Date.now() + expires : undefined);
  }

  /** Stops the timers: the queue was deleted, or the broker stops. */
  stop(): void {
    this.#stopped = true;
    this.#messageTimer.set(undefined);
    this.#unusedTimer.set(undefined);
  }

  #takeUnexpired(now: number): Entry | undefined {
    for (let entry = this.ready.shift(); entry; entry = this.ready.shift()) {
      if (entry.expiresAt === undefined || entry.expiresAt >= now) return entry;
      this.#discard(entry, 'expired');
    }
    return undefined;
  }

  /** Expires messages at the head. As in RabbitMQ, one behind a message that lives longer has to wait. */
  #expireHead(): void {
    let first = this.ready.first();
    while (first?.expiresAt !== undefined && first.expiresAt <= Date.now()) {
      this.ready.shift();
      this.#discard(first, 'expired');
      first = this.ready.first();
    }
    this.#messageTimer.set(this.#stopped ? undefined : first?.expiresAt);
  }

  #dropOverflow(): void {
    while (this.settings.overflow === 'drop-head' && this.#isFull(0, 0)) {
      const oldest = this.ready.shift();
      if (!oldest) break;
      this.#discard(oldest, 'maxlen');
    }
  }

  #isFull(moreMessages: number, moreBytes: number): boolean {
    const { maxLength, maxLengthBytes } = this.settings;
    return this.ready.length + moreMessages > maxLength || this.ready.bytes + moreBytes > maxLengthBytes;
  }

  #discard(entry: Entry, reason: DeathReason): void {
    this.unacked.delete(entry);
    this.owner.died(this, entry.message, reason, entry);
  }
}
