import type { Consumer } from '../../model/consumers';
import type { Queue } from '../../model/queue';
import type { Entry } from '../../model/ready-list';

/** What a consumer needs from its channel. */
export interface ConsumerChannel {
  readonly isCongested: boolean;
  /** Whether the channel's prefetch limit leaves room for one more message. */
  readonly hasRoom: boolean;
  deliver(consumer: ChannelConsumer, entry: Entry): void;
  consumerCancelled(consumer: ChannelConsumer): void;
}

/** A consumer that a channel started with basic.consume. */
export class ChannelConsumer implements Consumer {
  /** How many of its deliveries are unacknowledged. */
  unacked = 0;

  constructor(
    private readonly channel: ConsumerChannel,
    readonly queue: Queue,
    readonly tag: string,
    readonly noAck: boolean,
    readonly exclusive: boolean,
    private readonly prefetch: number,
  ) {}

  canTake(): boolean {
    if (this.channel.isCongested) return false;
    // Prefetch limits do not apply without acknowledgements (basic.qos, section 1.8.3.1).
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
