import type { Message } from './values/message';

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

/** From so many on, one pass over the list costs less than an insertion for each. */
const MERGE_FROM = 64;

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

  /** Puts messages back to their original places: a few one by one, many in one pass. */
  giveBack(returned: readonly Entry[]): void {
    if (returned.length === 0) return;
    const sorted = [...returned].sort((a, b) => a.position - b.position);
    for (const entry of sorted) this.#bytes += entry.message.content.length;
    const first = this.first();
    const last = sorted[sorted.length - 1];
    // What was delivered in order comes back to the gap it left at the head.
    if (sorted.length <= this.#head && (!first || !last || last.position < first.position)) {
      this.#head -= sorted.length;
      for (const [index, entry] of sorted.entries()) this.#entries[this.#head + index] = entry;
      return;
    }
    if (sorted.length < MERGE_FROM) {
      for (const entry of sorted) this.#entries.splice(this.#search(entry.position), 0, entry);
      return;
    }
    this.#entries = merge(sorted, [...this]);
    this.#head = 0;
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

  #trim(): void {
    this.#entries = this.#entries.slice(this.#head);
    this.#head = 0;
  }
}

/** Two lists in order of position as one. */
function merge(left: readonly Entry[], right: readonly Entry[]): Entry[] {
  const merged: Entry[] = [];
  let next = 0;
  for (const entry of left) {
    for (let other = right[next]; other && other.position < entry.position; other = right[next]) {
      merged.push(other);
      next += 1;
    }
    merged.push(entry);
  }
  return merged.concat(right.slice(next));
}
