import { isUtf8 } from 'node:buffer';
import { AmqpError } from './errors';

/** Reads the elementary types of AMQP 0-9-1 (section 4.2.5) and refuses to read past the end. */
export class ByteReader {
  offset = 0;

  constructor(readonly bytes: Buffer) {}

  get done(): boolean {
    return this.offset >= this.bytes.length;
  }

  /** Moves past `length` bytes and returns where they began. */
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

  /** Delivery tags and sizes stay far below 2^53 here; a larger number is a wrong one and stays wrong. */
  longlong(): number {
    return Number(this.bytes.readBigUInt64BE(this.take(8)));
  }

  shortstr(): string {
    const bytes = this.slice(this.octet());
    // A name that is not UTF-8 could not be written back as it came.
    if (!isUtf8(bytes)) throw new AmqpError('FRAME_ERROR', 'Malformed UTF-8 in shortstr');
    return bytes.toString('utf8');
  }

  longstr(): Buffer {
    return this.slice(this.long());
  }
}

/** Writes the elementary types into a buffer that grows. */
export class ByteWriter {
  #bytes: Buffer;
  #length = 0;

  constructor(capacity = 128) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** What has been written; the writer must not be used afterwards. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Makes room for `length` bytes and hands the buffer and the offset to `fill`. */
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

  /** Texts of the broker's own making may be long; AMQP allows 255 bytes. */
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

  /** Writes what `body` writes, preceded by its length as a long (tables and arrays). */
  sized(body: () => void): void {
    const start = this.#length;
    this.long(0);
    body();
    this.#bytes.writeUInt32BE(this.#length - start - 4, start);
  }
}
