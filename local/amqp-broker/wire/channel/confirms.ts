/** Publisher confirms of a channel (https://www.rabbitmq.com/docs/confirms): a run of acks becomes a single one. */
export class Confirms {
  #published = 0;
  #acked = 0;
  #told = 0;

  constructor(private readonly tell: (answer: 'ack' | 'nack', tag: number, multiple: boolean) => void) {}

  /** Takes the outcome of the next message. */
  record(accepted: boolean): void {
    this.#published += 1;
    if (accepted) {
      this.#acked = this.#published;
      return;
    }
    // Everything before it first: `multiple` must not cover a message that was refused.
    this.flush();
    this.tell('nack', this.#published, false);
    this.#told = this.#published;
    this.#acked = this.#published;
  }

  /** Acknowledges what was accepted since the last time. */
  flush(): void {
    if (this.#acked === this.#told) return;
    this.tell('ack', this.#acked, this.#acked - this.#told > 1);
    this.#told = this.#acked;
  }
}
