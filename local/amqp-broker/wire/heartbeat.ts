/** Heartbeats in both directions (AMQP 0-9-1, section 4.2.7), checked twice per interval. */
export class Heartbeat {
  /** Set to true by any bytes from the client. */
  received = false;
  #silent = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `beat` is called when a heartbeat may be due; `dead` once nothing has arrived for two intervals. */
  constructor(
    private readonly beat: () => void,
    private readonly dead: () => void,
  ) {}

  /** Starts with the negotiated interval; 0 turns heartbeats off. */
  start(seconds: number): void {
    if (seconds > 0) this.#timer = setInterval(() => this.#check(), seconds * 500);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #check(): void {
    this.beat();
    this.#silent = this.received ? 0 : this.#silent + 1;
    this.received = false;
    if (this.#silent >= 4) this.dead();
  }
}
