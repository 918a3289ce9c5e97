import { isUtf8 } from 'node:buffer';
import { type ByteReader, ByteWriter } from './bytes';
import { AmqpError } from './errors';
import type { Field, FieldTable, FieldValue } from './fields';

/** Deeper nesting is refused, because it would exhaust the stack. */
const MAX_DEPTH = 64;

interface Scalar {
  readonly size: number;
  read(bytes: Buffer, at: number): FieldValue;
  write(bytes: Buffer, at: number, value: FieldValue): void;
}

const SCALARS: Readonly<Record<string, Scalar>> = {
  t: { size: 1, read: (b, at) => b[at] !== 0, write: (b, at, v) => b.writeUInt8(v ? 1 : 0, at) },
  b: { size: 1, read: (b, at) => b.readInt8(at), write: (b, at, v) => b.writeInt8(Number(v), at) },
  B: { size: 1, read: (b, at) => b.readUInt8(at), write: (b, at, v) => b.writeUInt8(Number(v), at) },
  s: { size: 2, read: (b, at) => b.readInt16BE(at), write: (b, at, v) => b.writeInt16BE(Number(v), at) },
  u: { size: 2, read: (b, at) => b.readUInt16BE(at), write: (b, at, v) => b.writeUInt16BE(Number(v), at) },
  I: { size: 4, read: (b, at) => b.readInt32BE(at), write: (b, at, v) => b.writeInt32BE(Number(v), at) },
  i: { size: 4, read: (b, at) => b.readUInt32BE(at), write: (b, at, v) => b.writeUInt32BE(Number(v), at) },
  l: {
    size: 8,
    read: (b, at) => b.readBigInt64BE(at),
    write: (b, at, v) => b.writeBigInt64BE(asBigInt(v), at),
  },
  T: {
    size: 8,
    read: (b, at) => b.readBigUInt64BE(at),
    write: (b, at, v) => b.writeBigUInt64BE(asBigInt(v), at),
  },
  f: { size: 4, read: (b, at) => b.readFloatBE(at), write: (b, at, v) => b.writeFloatBE(Number(v), at) },
  d: { size: 8, read: (b, at) => b.readDoubleBE(at), write: (b, at, v) => b.writeDoubleBE(Number(v), at) },
  // Decimals are only passed on: one octet of scale and a long.
  D: {
    size: 5,
    read: (b, at) => Buffer.from(b.subarray(at, at + 5)),
    write: (b, at, v) => Buffer.isBuffer(v) && v.copy(b, at),
  },
  V: { size: 0, read: () => null, write: () => undefined },
};

function asBigInt(value: FieldValue): bigint {
  return typeof value === 'bigint' ? value : BigInt(Number(value));
}

/** Reads a field table and the length before it. */
export function readTable(reader: ByteReader, depth = 0): FieldTable {
  const end = tableEnd(reader, depth);
  const table = new Map<string, Field>();
  while (reader.offset < end) table.set(reader.shortstr(), readField(reader, depth));
  if (reader.offset !== end) throw new AmqpError('FRAME_ERROR', 'field table overruns its length');
  return table;
}

function readArray(reader: ByteReader, depth: number): Field[] {
  const end = tableEnd(reader, depth);
  const items: Field[] = [];
  while (reader.offset < end) items.push(readField(reader, depth));
  if (reader.offset !== end) throw new AmqpError('FRAME_ERROR', 'field array overruns its length');
  return items;
}

function tableEnd(reader: ByteReader, depth: number): number {
  if (depth > MAX_DEPTH) throw new AmqpError('FRAME_ERROR', 'field table nested too deeply');
  const length = reader.long();
  if (reader.offset + length > reader.bytes.length) {
    throw new AmqpError('FRAME_ERROR', 'field table longer than its frame');
  }
  return reader.offset + length;
}

function readField(reader: ByteReader, depth: number): Field {
  const tag = String.fromCharCode(reader.octet());
  const scalar = SCALARS[tag];
  if (scalar) return { tag, value: scalar.read(reader.bytes, reader.take(scalar.size)) };
  if (tag === 'F') return { tag, value: readTable(reader, depth + 1) };
  if (tag === 'A') return { tag, value: readArray(reader, depth + 1) };
  if (tag !== 'S' && tag !== 'x') throw new AmqpError('FRAME_ERROR', `unknown field type '${tag}'`);
  // A copy: a slice would keep the whole chunk read from the socket in memory.
  const bytes = Buffer.from(reader.longstr());
  return { tag, value: tag === 'S' && isUtf8(bytes) ? bytes.toString('utf8') : bytes };
}

/** Writes a field table, preceded by its length. */
export function writeTable(writer: ByteWriter, table: FieldTable): void {
  writer.sized(() => {
    for (const [name, field] of table) {
      writer.shortstr(name);
      writeField(writer, field);
    }
  });
}

function writeField(writer: ByteWriter, { tag, value }: Field): void {
  writer.octet(tag.charCodeAt(0));
  const scalar = SCALARS[tag];
  if (scalar) writer.reserve(scalar.size, (bytes, at) => scalar.write(bytes, at, value));
  else if (value instanceof Map) writeTable(writer, value);
  else if (Array.isArray(value)) writer.sized(() => value.map((item: Field) => writeField(writer, item)));
  else writer.longstr(Buffer.isBuffer(value) ? value : Buffer.from(String(value)));
}

/** The bytes of a table: the journal stores them, and comparing them compares tables with their types and order. */
export function tableBytes(table: FieldTable): Buffer {
  const writer = new ByteWriter();
  writeTable(writer, table);
  return writer.finish();
}
