import { type ChannelModel, type ConsumeMessage, connect } from 'amqplib';
import { isAmong } from './chance';

/**
 * A service that listens to everything, as others would: how often does each event appear on the wire? Its queue is
 * durable, and it comes back when the broker does.
 */
export class Tap {
  readonly seen = new Map<string, number>();
  #model: ChannelModel | undefined;
  #closed = false;
  #again: ((message: ConsumeMessage) => void) | undefined;

  constructor(
    readonly url: string,
    readonly exchange: string,
    readonly queue: string,
  ) {}

  async open(): Promise<void> {
    const model = await connect(this.url);
    this.#model = model;
    model.on('error', () => {});
    model.once('close', () => void this.#reopen());
    const channel = await model.createChannel();
    channel.on('error', () => {});
    await channel.assertExchange(this.exchange, 'topic');
    await channel.assertQueue(this.queue);
    await channel.bindQueue(this.queue, this.exchange, '#');
    await channel.consume(this.queue, (message) => {
      if (!message) return;
      const id = String(message.properties.messageId);
      const times = this.seen.get(id) ?? 0;
      // What the broker takes from its own queue a second time was published once.
      if (!(message.fields.redelivered && times > 0)) this.seen.set(id, times + 1);
      channel.ack(message);
      this.#again?.(message);
    });
  }

  async #reopen(): Promise<void> {
    while (!this.#closed) {
      try {
        return await this.open();
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  /** Publishes so many in a hundred once more, as a sender does that has missed a confirm. */
  async publishAgain(percent: number): Promise<void> {
    const channel = await this.#model?.createChannel();
    this.#again = ({ fields, properties, content }) => {
      // A duplicate of a duplicate would never end.
      if (!isAmong(String(properties.messageId), percent) || properties.appId === 'again') return;
      channel?.publish(fields.exchange, fields.routingKey, content, { ...properties, appId: 'again' });
    };
  }

  duplicates(): number {
    let total = 0;
    for (const times of this.seen.values()) total += times - 1;
    return total;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#model?.close().catch(() => {});
  }
}
