import type { QueueIdentity, QueueSettings } from './queue-settings';
import { type Entry, ReadyList } from './ready-list';
import { Timer } from './timer';
import type { Message } from './values/message';

/** A consumer that the queue pushes messages to. */
export interface Consumer {
  readonly exclusive: boolean;
  /** Whether prefetch limits and the socket leave room for one more message. */
  canTake(): boolean;
  deliver(entry: Entry): void;
  /** The queue was deleted (https://www.rabbitmq.com/docs/consumer-cancel). */
  queueDeleted(): void;
}

/** Why a message was dead-lettered (https://www.rabbitmq.com/docs/dlx). */
export type DeathReason = 'rejected' | 'expired' | 'maxlen' | 'delivery_limit';

/** What a queue needs from its virtual host. */
export interface QueueOwner {
  /** Hands a dead message on and then forgets the entry it had, if it was in the queue. */
  died(queue: Queue, message: Message, reason: DeathReason, entry?: Entry): void;
  added(queue: Queue, entry: Entry): void;
  removed(queue: Queue, entries: readonly Entry[]): void;
  /** The queue's `x-expires` time is up. */
  expired(queue: Queue): void;
}

/** A queue: messages in order, and the consumers they are pushed to. */
export class Queue {
  readonly ready = new ReadyList();
  readonly unacked = new Set<Entry>();
  /** In order of subscription, rotated by deliveries; with a single active consumer the first is the active one. */
  readonly consumers: Consumer[] = [];
  #nextPosition = 1;
  readonly #expiry = new Timer(() => this.#expireHead());
  readonly #unused = new Timer(() => this.owner.expired(this));
  #stopped = false;

  constructor(
    readonly identity: QueueIdentity,
    readonly settings: QueueSettings,
    private readonly owner: QueueOwner,
  ) {
    this.touch();
  }

  get name(): string {
    return this.identity.name;
  }

  get durable(): boolean {
    return this.identity.durable;
  }

  /** Appends a message; false when the queue is full and says so (`x-overflow` reject-publish). */
  publish(message: Message): boolean {
    const { overflow, messageTtl } = this.settings;
    if (overflow !== 'drop-head' && this.#isFull(1, message.content.length)) {
      if (overflow === 'reject-publish-dlx') this.owner.died(this, message, 'maxlen');
      return false;
    }
    const ttl = Math.min(
      messageTtl ?? Number.POSITIVE_INFINITY,
      Number(message.expiration ?? Number.POSITIVE_INFINITY),
    );
    const entry: Entry = {
      message,
      position: this.#nextPosition++,
      durable: this.identity.durable && (message.persistent || this.settings.quorum),
      expiresAt: Number.isFinite(ttl) ? Date.now() + ttl : undefined,
      redelivered: false,
      returns: 0,
    };
    if (entry.durable) this.owner.added(this, entry);
    this.ready.push(entry);
    this.dispatch();
    this.#dropOverflow();
    return true;
  }

  /** Puts back a message found in the journal; it may have been delivered before the restart. */
  restore(message: Message, position: number, expiresAt: number | undefined): void {
    this.#nextPosition = position + 1;
    this.ready.push({ message, position, durable: true, expiresAt, redelivered: true, returns: 0 });
  }

  /** Pushes waiting messages to whoever can take one. */
  dispatch(): void {
    for (;;) {
      const consumer = this.ready.length > 0 ? this.#nextConsumer() : undefined;
      // A message that could be delivered at once is, even with a TTL of 0; later ones may have expired by then.
      const entry = consumer && this.#takeLive();
      if (!entry) break;
      this.unacked.add(entry);
      consumer.deliver(entry);
    }
    this.#expireHead();
  }

  /** Takes the first message for basic.get. */
  take(): Entry | undefined {
    this.touch();
    const entry = this.#takeLive();
    if (entry) this.unacked.add(entry);
    return entry;
  }

  /** The messages are done with: acknowledged, or taken without asking for an acknowledgement. */
  settle(entries: readonly Entry[]): void {
    if (this.#stopped) return;
    for (const entry of entries) this.unacked.delete(entry);
    this.owner.removed(this, entries);
  }

  /** The messages come back to their places. */
  giveBack(entries: readonly Entry[]): void {
    if (this.#stopped) return;
    const kept: Entry[] = [];
    for (const entry of entries) {
      entry.redelivered = true;
      entry.returns += 1;
      this.unacked.delete(entry);
      if (entry.returns > this.settings.deliveryLimit) this.#kill(entry, 'delivery_limit');
      else kept.push(entry);
    }
    this.ready.giveBack(kept);
    this.dispatch();
    this.#dropOverflow();
  }

  /** The message is refused for good. */
  reject(entry: Entry): void {
    if (!this.#stopped) this.#kill(entry, 'rejected');
  }

  /** Drops the waiting messages and returns how many there were. */
  purge(): number {
    this.#expireHead();
    const entries = this.ready.clear();
    this.owner.removed(this, entries);
    return entries.length;
  }

  subscribe(consumer: Consumer): void {
    this.consumers.push(consumer);
    this.touch();
    this.dispatch();
  }

  /** Takes a consumer off; the caller dispatches once it has given back what the consumer held. */
  unsubscribe(consumer: Consumer): void {
    const index = this.consumers.indexOf(consumer);
    if (index >= 0) this.consumers.splice(index, 1);
    this.touch();
  }

  /** Starts `x-expires` again: it runs while the queue has no consumer, is not got from and not declared. */
  touch(): void {
    const { expires } = this.settings;
    const runs = expires !== undefined && this.consumers.length === 0 && !this.#stopped;
    this.#unused.set(runs ? Date.now() + expires : undefined);
  }

  /** Stops the timers of a queue that is deleted or whose broker stops. */
  stop(): void {
    this.#stopped = true;
    this.#expiry.set(undefined);
    this.#unused.set(undefined);
  }

  #nextConsumer(): Consumer | undefined {
    if (this.settings.singleActiveConsumer)
      return this.consumers[0]?.canTake() ? this.consumers[0] : undefined;
    const index = this.consumers.findIndex((consumer) => consumer.canTake());
    const [next] = index < 0 ? [] : this.consumers.splice(index, 1);
    if (next) this.consumers.push(next);
    return next;
  }

  #takeLive(): Entry | undefined {
    for (let entry = this.ready.shift(); entry; entry = this.ready.shift()) {
      if (entry.expiresAt === undefined || entry.expiresAt >= Date.now()) return entry;
      this.#kill(entry, 'expired');
    }
    return undefined;
  }

  /** Expires what is due at the head; like RabbitMQ's, a message behind one that lives longer has to wait. */
  #expireHead(): void {
    let first = this.ready.first();
    while (first?.expiresAt !== undefined && first.expiresAt <= Date.now()) {
      this.ready.shift();
      this.#kill(first, 'expired');
      first = this.ready.first();
    }
    this.#expiry.set(this.#stopped ? undefined : first?.expiresAt);
  }

  #dropOverflow(): void {
    while (this.settings.overflow === 'drop-head' && this.#isFull(0, 0)) {
      const oldest = this.ready.shift();
      if (!oldest) break;
      this.#kill(oldest, 'maxlen');
    }
  }

  #isFull(moreMessages: number, moreBytes: number): boolean {
    const { maxLength, maxLengthBytes } = this.settings;
    return this.ready.length + moreMessages > maxLength || this.ready.bytes + moreBytes > maxLengthBytes;
  }

  #kill(entry: Entry, reason: DeathReason): void {
    this.unacked.delete(entry);
    this.owner.died(this, entry.message, reason, entry);
  }
}
