import type { Log } from '../log';
import { BrokerError } from './broker-error';

const REPEAT_AFTER_MS = 60_000;

/**
 * Limits log lines during an outage, which causes many failures per second: logs each kind of failure at once and then once
 * a minute, and the recovery once.
 */
export class OutageLog {
  readonly #loggedAt = new Map<string, number>();
  #isFailing = false;
  #told = Promise.resolve();

  /**
   * @param consequence what the failure means for the task; also the message for an error that is not a BrokerError
   * @param recovery the message when the outage is over
   */
  constructor(
    private readonly log: Log,
    private readonly consequence: string,
    private readonly recovery: string,
    /** Called with each logged problem, and with null when the outage is over; one call at a time. Must not throw. */
    private readonly onChange: (problem: string | null) => Promise<void> = async () => {},
    private readonly clock: () => number = () => performance.now(),
  ) {}

  /** The task cannot work because of this error. */
  failed(error: unknown): void {
    const { consequence } = this;
    const reason = error instanceof Error ? error.message : String(error);
    const logged =
      error instanceof BrokerError
        ? this.logOnce('error', error.message, { reason: error.reason, consequence })
        : this.logOnce('error', consequence, { reason, error });
    if (!logged) return;
    this.#isFailing = true;
    this.#tell(error instanceof BrokerError ? error.message : consequence);
  }

  /** The task works again. */
  recovered(): void {
    if (!this.#isFailing) return;
    this.#isFailing = false;
    this.log.info(this.recovery);
    this.#tell(null);
  }

  #tell(problem: string | null): void {
    this.#told = this.#told.then(() => this.onChange(problem));
  }

  /** Logs a message that a loop repeats, at most once a minute. @returns whether it was logged */
  logOnce(
    level: 'warn' | 'error',
    message: string,
    fields: { reason: string; [name: string]: unknown },
  ): boolean {
    const now = this.clock();
    for (const [key, at] of this.#loggedAt) if (now - at >= REPEAT_AFTER_MS) this.#loggedAt.delete(key);
    const key = `${message} ${fields.reason}`;
    if (this.#loggedAt.has(key)) return false;
    this.#loggedAt.set(key, now);
    this.log[level](message, fields);
    return true;
  }
}
