import { closeSync, openSync, readSync, renameSync, unlinkSync } from 'node:fs';
import { encodeRecord, MAGIC, writeAll } from './journal-format';
import type { StoredRecord } from './records';

/** How much one step writes: a few milliseconds of work, between which connections are served. */
const STEP = 256 * 1024;
/** Copying is faster, and has to overtake what is appended in the meantime. */
const COPY_STEP = 4 * 1024 * 1024;

/**
 * Writes a shorter journal beside the one in use, in steps: first the records of a snapshot, then what has been
 * appended to the journal since the snapshot was taken.
 */
export class Compaction {
  readonly #temporary: string;
  readonly fd: number;
  #size = 0;
  #records: Iterator<StoredRecord> | undefined;

  /** `offset` is where the journal ended when the snapshot was taken. */
  constructor(
    private readonly path: string,
    records: Iterable<StoredRecord>,
    private offset: number,
  ) {
    this.#temporary = `${path}.new`;
    this.#records = records[Symbol.iterator]();
    this.fd = openSync(this.#temporary, 'w+');
  }

  get size(): number {
    return this.#size;
  }

  /** Writes the next step; true once the new file holds everything that is in the journal of `size` bytes. */
  step(journal: number | undefined, size: number): boolean {
    if (this.#records) this.#writeRecords(this.#records);
    else if (journal !== undefined) this.#copy(journal, size);
    return !this.#records && this.offset >= size;
  }

  /** Replaces the journal by the new file. */
  finish(): void {
    renameSync(this.#temporary, this.path);
  }

  /** Deletes the new file and leaves the journal as it is. */
  abandon(): void {
    closeSync(this.fd);
    unlinkSync(this.#temporary);
  }

  #writeRecords(records: Iterator<StoredRecord>): void {
    const batch: Buffer[] = this.#size === 0 ? [MAGIC] : [];
    let batched = 0;
    while (batched < STEP) {
      const next = records.next();
      if (next.done) {
        this.#records = undefined;
        break;
      }
      const bytes = encodeRecord(next.value);
      batch.push(bytes);
      batched += bytes.length;
    }
    this.#write(Buffer.concat(batch));
  }

  #copy(journal: number, size: number): void {
    const bytes = Buffer.allocUnsafe(Math.min(COPY_STEP, size - this.offset));
    const read = readSync(journal, bytes, 0, bytes.length, this.offset);
    this.#write(bytes.subarray(0, read));
    this.offset += read;
  }

  #write(bytes: Buffer): void {
    this.#size += writeAll(this.fd, bytes, this.#size);
  }
}
