import { closeSync, ftruncateSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Compaction } from './compaction';
import { encodeRecord, MAGIC, readRecords, writeAll } from './journal-format';
import { errorCode, lockDirectory } from './lock';
import type { JournalRecord, StoredRecord } from './records';

/**
 * The state of the journal at the end of a turn of the event loop: everything is in the file; or what this turn
 * recorded is not; or this turn recorded nothing, but records of an earlier turn are still not in the file.
 */
export type Written = 'all' | 'failed' | 'unchanged';

const COMPACT_ABOVE = 16 * 1024 * 1024;

/**
 * The append-only file that durable state is restored from. `flush` writes what was appended with one write(), which
 * survives a crash of the process, but not a power failure: that would take an fsync.
 */
export class Journal {
  readonly #path: string;
  readonly #unlock: () => void;
  #fd: number | undefined;
  #size = 0;
  #compactAt = COMPACT_ABOVE;
  #compaction: Compaction | undefined;
  #pending: Buffer[] = [];
  /** Whether anything was appended since the last flush. */
  #appended = false;
  #failure: unknown;

  constructor(
    directory: string,
    private readonly onAppend: () => void,
  ) {
    mkdirSync(directory, { recursive: true });
    this.#unlock = lockDirectory(directory);
    this.#path = join(directory, 'journal');
  }

  /**
   * Reads the records, and returns the number of bytes after the first incomplete one: those were never confirmed
   * to anyone.
   */
  replay(apply: (record: JournalRecord, body: Buffer) => void): number {
    let bytes: Buffer;
    try {
      bytes = readFileSync(this.#path);
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return 0;
      throw error;
    }
    if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
      throw new Error(`${this.#path} is not a journal of this broker`);
    }
    return bytes.length - readRecords(bytes, apply);
  }

  /** Replaces the file by one that holds only these records. */
  rewrite(records: Iterable<StoredRecord>): void {
    this.#begin(records);
    while (this.#step());
  }

  /** Does the same in steps, between which records can be appended. `failed` is called if it is given up. */
  compact(records: Iterable<StoredRecord>, failed: (error: unknown) => void): void {
    const step = () => {
      try {
        if (this.#step()) setImmediate(step);
      } catch (error) {
        failed(error);
      }
    };
    try {
      this.#begin(records);
    } catch (error) {
      failed(error);
      return;
    }
    setImmediate(step);
  }

  #begin(records: Iterable<StoredRecord>): void {
    // Even if this compaction fails, the next one has to wait until as much again was appended.
    this.#compactAt = Math.max(COMPACT_ABOVE, this.#size * 2);
    this.#compaction = new Compaction(this.#path, records, this.#size);
  }

  /** Returns whether there is another step. */
  #step(): boolean {
    const compaction = this.#compaction;
    if (!compaction) return false;
    try {
      if (!compaction.step(this.#fd, this.#size)) return true;
      compaction.finish();
    } catch (error) {
      this.#abandon();
      throw error;
    }
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = compaction.fd;
    this.#size = compaction.size;
    this.#compactAt = Math.max(COMPACT_ABOVE, this.#size * 2);
    this.#compaction = undefined;
    return false;
  }

  #abandon(): void {
    this.#compaction?.abandon();
    this.#compaction = undefined;
  }

  /** Whether the file has grown so much that a compaction is worth it. */
  get isLong(): boolean {
    return this.#size > this.#compactAt && !this.#compaction;
  }

  /** Adds a record to the next flush. Ignored until the first `rewrite`: what is restored is recorded already. */
  append(stored: StoredRecord): void {
    if (this.#fd === undefined) return;
    this.#pending.push(encodeRecord(stored));
    this.#appended = true;
    this.onAppend();
  }

  /** Why the last write failed; undefined if it succeeded. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Writes what was appended. After a failure only `retry` does, so that a full disk is not tried at every turn. */
  flush(): Written {
    const appended = this.#appended;
    this.#appended = false;
    if (this.#failure !== undefined) return appended ? 'failed' : 'unchanged';
    return this.#write() ? 'all' : 'failed';
  }

  /** Tries again after a failure, and returns whether everything is in the file now. */
  retry(): boolean {
    this.#appended = false;
    return this.#write();
  }

  #write(): boolean {
    if (this.#fd === undefined || this.#pending.length === 0) return true;
    try {
      this.#size += writeAll(this.#fd, Buffer.concat(this.#pending), this.#size);
      this.#pending = [];
      this.#failure = undefined;
      return true;
    } catch (error) {
      // A full disk: cut off what was written in part, and keep the records for the next try.
      ftruncateSync(this.#fd, this.#size);
      this.#failure = error;
      return false;
    }
  }

  close(): void {
    this.#abandon();
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    this.#unlock();
  }
}
