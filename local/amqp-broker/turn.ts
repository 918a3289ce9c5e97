import type { Written } from './storage/journal';

/** Something that holds its output back until the end of the turn. */
export interface Flushable {
  flush(): void;
  /** The journal could not be written: the output of this turn has to wait until it can be. */
  hold(): void;
}

/**
 * Ends each turn of the event loop: writes the journal, then flushes the output. So no confirm and no reply is sent
 * before the journal holds what it promises, and a turn costs one write() however much happens in it.
 */
export class Turn {
  #waiting = new Set<Flushable>();
  /** Those whose output promises something that is not in the journal yet. */
  #held = new Set<Flushable>();
  #scheduled: NodeJS.Immediate | undefined;

  constructor(private readonly writeJournal: () => Written) {}

  /** Schedules the end of the turn, at which `flushable` is flushed. */
  request(flushable?: Flushable): void {
    if (flushable) this.#waiting.add(flushable);
    this.#scheduled ??= setImmediate(() => this.end());
  }

  end(): void {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    const waiting = this.#waiting;
    this.#waiting = new Set();
    const written = this.writeJournal();
    if (written === 'failed') {
      for (const flushable of waiting) {
        this.#held.add(flushable);
        flushable.hold();
      }
      return;
    }
    if (written === 'all') {
      for (const flushable of this.#held) waiting.add(flushable);
      this.#held = new Set();
    }
    for (const flushable of waiting) if (!this.#held.has(flushable)) flushable.flush();
  }
}
