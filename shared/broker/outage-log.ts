import type { Log } from '../log';
import { BrokerError } from './broker-error';

const REPEAT_AFTER_MS = 60_000;

/**
 * An outage is many failures a second. Each kind of trouble is told at once and then once a minute while it lasts, and
 * its end once.
 */
export class OutageLog {
  readonly #toldAt = new Map<string, number>();
  #inTrouble = false;

  /**
   * @param consequence what it means for the work at hand; by itself the line for an error that explains nothing
   * @param over the line for the end of what was told
   */
  constructor(
    private readonly log: Log,
    private readonly consequence: string,
    private readonly over: string,
    /** Told what the log is told of what nothing works because of, and null when it is over. */
    private readonly note: (problem: string | null) => void = () => {},
    private readonly clock: () => number = () => performance.now(),
  ) {}

  /** Nothing works because of this. */
  failed(error: unknown): void {
    const { consequence } = this;
    const reason = error instanceof Error ? error.message : String(error);
    const told =
      error instanceof BrokerError
        ? this.tell('error', error.message, { reason: error.reason, consequence })
        : this.tell('error', consequence, { reason, error });
    if (!told) return;
    this.#inTrouble = true;
    this.note(error instanceof BrokerError ? error.message : consequence);
  }

  /** It works again. */
  recovered(): void {
    if (!this.#inTrouble) return;
    this.#inTrouble = false;
    this.log.info(this.over);
    this.note(null);
  }

  /** A line that something in a loop would repeat. @returns whether it was written */
  tell(
    level: 'warn' | 'error',
    message: string,
    fields: { reason: string; [name: string]: unknown },
  ): boolean {
    const now = this.clock();
    for (const [key, at] of this.#toldAt) if (now - at >= REPEAT_AFTER_MS) this.#toldAt.delete(key);
    const key = `${message} ${fields.reason}`;
    if (this.#toldAt.has(key)) return false;
    this.#toldAt.set(key, now);
    this.log[level](message, fields);
    return true;
  }
}
