import type { Written } from './storage/journal';

/** Something that holds back its output until the end of the turn. */
export interface Flushable {
  flush(): void;
  /** The journal could not be written: nothing of this turn may leave before it is. */
  hold(): void;
}

/**
 * Ends each turn of the event loop: first the journal is written, then everyone speaks. So no confirm and no
 * reply leaves before what it promises is in the file, and a turn costs one write() however much happened in it.
 */
export class Turn {
  #waiting = new Set<Flushable>();
  /** Those whose output promises what could not be written yet. */
  #held = new Set<Flushable>();
  #scheduled: NodeJS.Immediate | undefined;

  constructor(private readonly writeJournal: () => Written) {}

  /** Asks for an end of turn, and to be flushed at it. */
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
