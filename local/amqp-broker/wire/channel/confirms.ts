/** Publisher confirms of a channel (https://www.rabbitmq.com/docs/confirms); consecutive acks become a single one. */
export class Confirms {
  #published = 0;
  #acked = 0;
  #sent = 0;

  constructor(private readonly send: (answer: 'ack' | 'nack', tag: number, multiple: boolean) => void) {}

  /** Records whether the next published message was accepted. */
  record(accepted: boolean): void {
    this.#published += 1;
    if (accepted) {
      this.#acked = this.#published;
      return;
    }
    // Earlier messages first: `multiple` must not cover the refused one.
    this.flush();
    this.send('nack', this.#published, false);
    this.#sent = this.#published;
    this.#acked = this.#published;
  }

  /** Acknowledges the messages accepted since the last call. */
  flush(): void {
    if (this.#acked === this.#sent) return;
    this.send('ack', this.#acked, this.#acked - this.#sent > 1);
    this.#sent = this.#acked;
  }
}
