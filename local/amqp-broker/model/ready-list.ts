import type { Message } from './values/message';

/** A message in a queue. Its position never changes, so that a requeued message returns to its place. */
export interface Entry {
  readonly message: Message;
  readonly position: number;
  /** Whether it survives a restart of the broker. */
  readonly durable: boolean;
  /** When it expires, in milliseconds since 1970. */
  readonly expiresAt: number | undefined;
  redelivered: boolean;
  /** How often it was requeued (`x-delivery-limit`). */
  returns: number;
}

/** From this many messages on, merging two lists costs less than inserting one by one. */
const MERGE_FROM = 64;

/** The messages of a queue that wait to be delivered, in order of position. */
export class ReadyList {
  #entries: (Entry | undefined)[] = [];
  #head = 0;
  #bytes = 0;

  get length(): number {
    return this.#entries.length - this.#head;
  }

  /** Total size of the bodies, for `x-max-length-bytes`. */
  get bytes(): number {
    return this.#bytes;
  }

  first(): Entry | undefined {
    return this.#entries[this.#head];
  }

  /** Adds a message at the end. */
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

  /** Inserts requeued messages at their positions. */
  insert(returned: readonly Entry[]): void {
    if (returned.length === 0) return;
    const sorted = [...returned].sort((a, b) => a.position - b.position);
    for (const entry of sorted) this.#bytes += entry.message.content.length;
    const first = this.first();
    const last = sorted[sorted.length - 1];
    // The usual case: they came from the head, where the array still has room for them.
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

  /** Index of the first message at or after a position. */
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

/** Merges two lists that are in order of position. */
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
