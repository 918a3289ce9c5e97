import type { Message } from './message';

/** A message in a queue. Its position never changes, so a returned message goes back to where it was. */
export interface Entry {
  readonly message: Message;
  readonly position: number;
  /** Whether the journal has it. */
  readonly durable: boolean;
  /** When it is due to expire, in milliseconds since 1970. */
  readonly expiresAt: number | undefined;
  redelivered: boolean;
  /** How often it came back undone (`x-delivery-limit`). */
  returns: number;
}

/** The messages of a queue that wait for a consumer, in order of position. */
export class ReadyList {
  #entries: (Entry | undefined)[] = [];
  #head = 0;
  #bytes = 0;

  get length(): number {
    return this.#entries.length - this.#head;
  }

  /** Sum of the bodies, for `x-max-length-bytes`. */
  get bytes(): number {
    return this.#bytes;
  }

  first(): Entry | undefined {
    return this.#entries[this.#head];
  }

  /** Adds a message behind all the others. */
  push(entry: Entry): void {
    this.#entries.push(entry);
    this.#bytes += entry.message.content.length;
  }

  shift(): Entry | undefined {
    const entry = this.#entries[this.#head];
    if (!entry) return undefined;
    this.#entries[this.#head] = undefined;
    this.#head += 1;
    this.#bytes -= entry.message.content.length;
    if (this.#head > 1024 && this.#head * 2 > this.#entries.length) this.#trim();
    return entry;
  }

  /** Puts messages back to their original places. */
  giveBack(returned: readonly Entry[]): void {
    const sorted = [...returned].sort((a, b) => b.position - a.position);
    for (const entry of sorted) {
      this.#bytes += entry.message.content.length;
      const first = this.first();
      if (first && first.position < entry.position) this.#insert(entry);
      else if (this.#head > 0) {
        this.#head -= 1;
        this.#entries[this.#head] = entry;
      } else this.#entries.unshift(entry);
    }
  }

  /** Takes out the message at a position. */
  remove(position: number): Entry | undefined {
    if (this.first()?.position === position) return this.shift();
    const index = this.#search(position);
    const entry = this.#entries[index];
    if (entry?.position !== position) return undefined;
    this.#entries.splice(index, 1);
    this.#bytes -= entry.message.content.length;
    return entry;
  }

  /** Empties the list and returns what was in it. */
  clear(): Entry[] {
    const entries = [...this];
    this.#entries = [];
    this.#head = 0;
    this.#bytes = 0;
    return entries;
  }

  *[Symbol.iterator](): Generator<Entry> {
    for (let index = this.#head; index < this.#entries.length; index += 1) {
      const entry = this.#entries[index];
      if (entry) yield entry;
    }
  }

  #insert(entry: Entry): void {
    this.#entries.splice(this.#search(entry.position), 0, entry);
  }

  /** Index of the first message at or behind a position. */
  #search(position: number): number {
    let low = this.#head;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle]?.position ?? 0) < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #trim(): void {
    this.#entries = this.#entries.slice(this.#head);
    this.#head = 0;
  }
}
