import { isUtf8 } from 'node:buffer';
import { AmqpError } from './errors';

/** Reads the elementary types of AMQP 0-9-1 (section 4.2.5). Throws FRAME_ERROR instead of reading past the end. */
export class ByteReader {
  offset = 0;

  constructor(readonly bytes: Buffer) {}

  get done(): boolean {
    return this.offset >= this.bytes.length;
  }

  /** Skips `length` bytes and returns the offset at which they start. */
  take(length: number): number {
    const start = this.offset;
    if (start + length > this.bytes.length) throw new AmqpError('FRAME_ERROR', 'unexpected end of frame');
    this.offset += length;
    return start;
  }

  slice(length: number): Buffer {
    const start = this.take(length);
    return this.bytes.subarray(start, start + length);
  }

  octet(): number {
    return this.bytes.readUInt8(this.take(1));
  }

  short(): number {
    return this.bytes.readUInt16BE(this.take(2));
  }

  long(): number {
    return this.bytes.readUInt32BE(this.take(4));
  }

  /** Inexact above 2^53, which no valid delivery tag or size reaches here. */
  longlong(): number {
    return Number(this.bytes.readBigUInt64BE(this.take(8)));
  }

  shortstr(): string {
    const bytes = this.slice(this.octet());
    // Invalid UTF-8 could not be sent on unchanged.
    if (!isUtf8(bytes)) throw new AmqpError('FRAME_ERROR', 'Malformed UTF-8 in shortstr');
    return bytes.toString('utf8');
  }

  longstr(): Buffer {
    return this.slice(this.long());
  }
}

/** Writes the elementary types into a buffer that grows as needed. */
export class ByteWriter {
  #bytes: Buffer;
  #length = 0;

  constructor(capacity = 128) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** The bytes written so far; the writer must not be used afterwards. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Calls `fill` with the buffer and the offset of `length` free bytes in it. */
  reserve(length: number, fill: (bytes: Buffer, at: number) => void): void {
    if (this.#length + length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + length));
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    fill(this.#bytes, this.#length);
    this.#length += length;
  }

  octet(value: number): void {
    this.reserve(1, (bytes, at) => bytes.writeUInt8(value, at));
  }

  short(value: number): void {
    this.reserve(2, (bytes, at) => bytes.writeUInt16BE(value, at));
  }

  long(value: number): void {
    this.reserve(4, (bytes, at) => bytes.writeUInt32BE(value, at));
  }

  longlong(value: number): void {
    this.reserve(8, (bytes, at) => bytes.writeBigUInt64BE(BigInt(value), at));
  }

  raw(value: Buffer): void {
    this.reserve(value.length, (bytes, at) => value.copy(bytes, at));
  }

  /** Cuts the value off after the 255 bytes that AMQP allows: an error text can be longer. */
  shortstr(value: string): void {
    let bytes = Buffer.from(value, 'utf8');
    if (bytes.length > 255) bytes = bytes.subarray(0, 255);
    this.octet(bytes.length);
    this.raw(bytes);
  }

  longstr(value: Buffer): void {
    this.long(value.length);
    this.raw(value);
  }

  /** Writes the length of what `body` writes as a long, then that: a table or an array. */
  sized(body: () => void): void {
    const start = this.#length;
    this.long(0);
    body();
    this.#bytes.writeUInt32BE(this.#length - start - 4, start);
  }
}
