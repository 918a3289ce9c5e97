import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { errorCode } from './errors';
import { lockDirectory } from './lock';
import type { JournalRecord, StoredRecord } from './records';

const MAGIC = Buffer.from('AMQPJ001', 'latin1');
/** Length of the rest, checksum of the rest, length of the JSON part. */
const HEAD = 12;
const COMPACT_ABOVE = 16 * 1024 * 1024;

/**
 * The append-only file that durable state is rebuilt from. Appends gather until `flush`, which is one write():
 * enough to survive the death of the process, though not of the machine (that would take an fsync).
 */
export class Journal {
  readonly #path: string;
  readonly #unlock: () => void;
  #fd: number | undefined;
  #size = 0;
  #compactAt = COMPACT_ABOVE;
  #pending: Buffer[] = [];

  constructor(
    directory: string,
    private readonly onAppend: () => void,
  ) {
    mkdirSync(directory, { recursive: true });
    this.#unlock = lockDirectory(directory);
    this.#path = join(directory, 'journal');
  }

  /**
   * Reads every whole record, and returns the number of bytes left over: what follows a torn record was never
   * confirmed to anyone.
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
    let at = MAGIC.length;
    while (at + HEAD <= bytes.length) {
      const end = at + 8 + bytes.readUInt32BE(at);
      if (end < at + HEAD || end > bytes.length) break;
      if (crc32(bytes.subarray(at + 8, end)) !== bytes.readUInt32BE(at + 4)) break;
      const bodyAt = at + HEAD + bytes.readUInt32BE(at + 8);
      apply(JSON.parse(bytes.toString('utf8', at + HEAD, bodyAt)), bytes.subarray(bodyAt, end));
      at = end;
    }
    return bytes.length - at;
  }

  /** Replaces the file by one that holds just these records, and appends to that from now on. */
  rewrite(records: Iterable<StoredRecord>): void {
    // Whatever happens, not again before as much has been appended.
    this.#compactAt = Math.max(COMPACT_ABOVE, this.#size * 2);
    const temporary = `${this.#path}.new`;
    const fd = openSync(temporary, 'w');
    try {
      this.#replaceBy(fd, temporary, records);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  #replaceBy(fd: number, temporary: string, records: Iterable<StoredRecord>): void {
    let size = writeAll(fd, MAGIC, 0);
    let batch: Buffer[] = [];
    let batched = 0;
    const writeBatch = () => {
      size += writeAll(fd, Buffer.concat(batch), size);
      batch = [];
      batched = 0;
    };
    for (const stored of records) {
      const bytes = encode(stored);
      batch.push(bytes);
      batched += bytes.length;
      if (batched > 1024 * 1024) writeBatch();
    }
    writeBatch();
    renameSync(temporary, this.#path);
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = fd;
    this.#size = size;
    this.#pending = [];
    this.#compactAt = Math.max(COMPACT_ABOVE, size * 2);
  }

  /** Whether the file has grown enough for a rewrite to pay. */
  get isLong(): boolean {
    return this.#size > this.#compactAt;
  }

  /** Takes a record for the next flush. Before the first `rewrite`, while replaying, there is nothing to record. */
  append(stored: StoredRecord): void {
    if (this.#fd === undefined) return;
    this.#pending.push(encode(stored));
    this.onAppend();
  }

  flush(): void {
    if (this.#fd === undefined || this.#pending.length === 0) return;
    try {
      this.#size += writeAll(this.#fd, Buffer.concat(this.#pending), this.#size);
      this.#pending = [];
    } catch (error) {
      // A full disk: cut what was written in part, keep the records, and let the caller refuse to confirm.
      ftruncateSync(this.#fd, this.#size);
      throw error;
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    this.#unlock();
  }
}

function encode({ record, body = [] }: StoredRecord): Buffer {
  const json = Buffer.from(JSON.stringify(record), 'utf8');
  const bytes = Buffer.concat([Buffer.alloc(HEAD), json, ...body]);
  bytes.writeUInt32BE(bytes.length - 8, 0);
  bytes.writeUInt32BE(json.length, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(8)), 4);
  return bytes;
}

function writeAll(fd: number, bytes: Buffer, position: number): number {
  let written = 0;
  while (written < bytes.length) {
    written += writeSync(fd, bytes, written, bytes.length - written, position + written);
  }
  return written;
}
