import type { Channel } from './channel';
import type { Queue } from './queue';
import type { Entry } from './ready-list';

/** Whoever gets messages pushed. */
export interface Consumer {
  readonly tag: string;
  readonly exclusive: boolean;
  /** Whether prefetch limits and the socket leave room for one more message. */
  canTake(): boolean;
  deliver(entry: Entry): void;
  /** The queue is gone (https://www.rabbitmq.com/docs/consumer-cancel). */
  queueDeleted(): void;
}

/** A basic.consume of a channel. */
export class ChannelConsumer implements Consumer {
  /** Delivered and neither acknowledged nor returned. */
  unacked = 0;

  constructor(
    private readonly channel: Channel,
    readonly queue: Queue,
    readonly tag: string,
    readonly noAck: boolean,
    readonly exclusive: boolean,
    private readonly prefetch: number,
  ) {}

  canTake(): boolean {
    if (this.channel.isCongested) return false;
    // Without acknowledgements there is nothing to count (basic.qos, section 1.8.3.1).
    if (this.noAck) return true;
    return (this.prefetch === 0 || this.unacked < this.prefetch) && this.channel.hasRoom;
  }

  deliver(entry: Entry): void {
    this.channel.deliver(this, entry);
  }

  queueDeleted(): void {
    this.channel.consumerCancelled(this);
  }
}
