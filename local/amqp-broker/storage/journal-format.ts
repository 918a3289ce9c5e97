import { writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { JournalRecord, StoredRecord } from './records';

/** The first eight bytes of a journal. */
export const MAGIC = Buffer.from('AMQPJ001', 'latin1');
/** The head of a record: length of what follows the checksum, checksum, length of the JSON. */
const HEAD = 12;

/** Reads the records after the magic bytes, up to the first incomplete one; returns the offset of that. */
export function readRecords(bytes: Buffer, apply: (record: JournalRecord, body: Buffer) => void): number {
  let at = MAGIC.length;
  while (at + HEAD <= bytes.length) {
    const end = at + 8 + bytes.readUInt32BE(at);
    if (end < at + HEAD || end > bytes.length) break;
    if (crc32(bytes.subarray(at + 8, end)) !== bytes.readUInt32BE(at + 4)) break;
    const bodyAt = at + HEAD + bytes.readUInt32BE(at + 8);
    apply(JSON.parse(bytes.toString('utf8', at + HEAD, bodyAt)), bytes.subarray(bodyAt, end));
    at = end;
  }
  return at;
}

export function encodeRecord({ record, body = [] }: StoredRecord): Buffer {
  const json = Buffer.from(JSON.stringify(record), 'utf8');
  const bytes = Buffer.concat([Buffer.alloc(HEAD), json, ...body]);
  bytes.writeUInt32BE(bytes.length - 8, 0);
  bytes.writeUInt32BE(json.length, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(8)), 4);
  return bytes;
}

/** Writes all bytes at a position of a file, and returns how many there are. */
export function writeAll(fd: number, bytes: Buffer, position: number): number {
  let written = 0;
  while (written < bytes.length) {
    written += writeSync(fd, bytes, written, bytes.length - written, position + written);
  }
  return written;
}
