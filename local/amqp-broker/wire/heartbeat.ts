/** Watches a connection in both directions (AMQP 0-9-1, section 4.2.7), looking every half interval. */
export class Heartbeat {
  /** Set by whatever comes in. */
  received = false;
  #silent = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `beat` is called often enough for the peer; `dead` once nothing came for two intervals. */
  constructor(
    private readonly beat: () => void,
    private readonly dead: () => void,
  ) {}

  /** Begins with the negotiated interval; 0 means that nobody wants heartbeats. */
  start(seconds: number): void {
    if (seconds > 0) this.#timer = setInterval(() => this.#look(), seconds * 500);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    this.beat();
    this.#silent = this.received ? 0 : this.#silent + 1;
    this.received = false;
    if (this.#silent >= 4) this.dead();
  }
}
