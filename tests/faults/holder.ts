import { type ChannelModel, type ConfirmChannel, type ConsumeMessage, connect } from 'amqplib';

/**
 * A service of somebody else's that holds copies of users: it is asked for an erasure and answers with a receipt, before it
 * acknowledges the request. It can be away for a while, and it comes back when the broker does.
 */
export class Holder {
  /** When it first sent the receipt of each case. */
  readonly answered = new Map<string, Date>();
  #model: ChannelModel | undefined;
  #state: 'there' | 'away' | 'closed' = 'there';

  constructor(
    readonly name: string,
    readonly url: string,
    readonly config: { exchange: string; queuePrefix: string },
    /** How often it sends each receipt. */
    readonly times = 1,
  ) {}

  get queue(): string {
    return `${this.config.queuePrefix}.holder.${this.name}`;
  }

  async open(): Promise<void> {
    const model = await connect(this.url);
    this.#model = model;
    model.on('error', () => {});
    model.once('close', () => void this.#reopen());
    const channel = await model.createConfirmChannel();
    channel.on('error', () => {});
    await channel.assertQueue(this.queue);
    await channel.bindQueue(this.queue, this.config.exchange, 'user.erasure_requested');
    await channel.prefetch(20);
    await channel.consume(this.queue, (message) => {
      if (message) void this.#answer(channel, message).catch(() => {});
    });
  }

  /** Hangs up, whatever it was at. */
  async leave(): Promise<void> {
    this.#state = 'away';
    await this.#model?.close().catch(() => {});
  }

  async comeBack(): Promise<void> {
    this.#state = 'there';
    await this.#reopen();
  }

  async close(): Promise<void> {
    this.#state = 'closed';
    await this.#model?.close().catch(() => {});
  }

  async #answer(channel: ConfirmChannel, message: ConsumeMessage): Promise<void> {
    const { caseId } = JSON.parse(message.content.toString()).data;
    const receipt = Buffer.from(JSON.stringify({ caseId, holder: this.name, outcome: 'erased' }));
    if (!this.answered.has(caseId)) this.answered.set(caseId, new Date());
    for (let sent = 0; sent < this.times; sent++)
      channel.publish('', `${this.config.queuePrefix}.receipts`, receipt, { persistent: true });
    await channel.waitForConfirms();
    channel.ack(message);
  }

  async #reopen(): Promise<void> {
    while (this.#state === 'there') {
      try {
        return await this.open();
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }
}
