import { ByteReader, ByteWriter } from '../../model/values/bytes';
import { AmqpError, asAmqpError } from '../../model/values/errors';
import { readTable, writeTable } from '../../model/values/field-codec';
import { type Args, METHODS, type Method, type MethodName, type WireType } from './methods';

interface Layout {
  readonly name: MethodName;
  readonly classId: number;
  readonly methodId: number;
  readonly args: readonly (readonly [string, WireType])[];
}

const layouts = (Object.keys(METHODS) as MethodName[]).map((name): Layout => {
  const [id = '', ...args] = METHODS[name].split(' ');
  const [classId = 0, methodId = 0] = id.split('.').map(Number);
  return { name, classId, methodId, args: args.map((arg) => arg.split(':') as [string, WireType]) };
});
const byName: ReadonlyMap<string, Layout> = new Map(layouts.map((layout) => [layout.name, layout]));
const byId: ReadonlyMap<number, Layout> = new Map(
  layouts.map((layout) => [layout.classId * 0x10000 + layout.methodId, layout]),
);

/** Decodes the payload of a method frame. */
export function decodeMethod(payload: Buffer): Method {
  const reader = new ByteReader(payload);
  const id = reader.long();
  const layout = byId.get(id);
  if (!layout) throw new AmqpError('NOT_IMPLEMENTED', `unknown method ${id >>> 16}.${id & 0xffff}`);
  try {
    return readArgs(layout, reader);
  } catch (error) {
    throw asAmqpError(error).during(layout.name);
  }
}

function readArgs(layout: Layout, reader: ByteReader): Method {
  const args: Record<string, unknown> = {};
  let bits = 0;
  let bitCount = 0;
  for (const [name, type] of layout.args) {
    if (type === 'bit') {
      // Consecutive bits share octets, least significant first (section 4.2.5.2).
      if (bitCount % 8 === 0) bits = reader.octet();
      args[name] = (bits & (1 << (bitCount % 8))) !== 0;
      bitCount += 1;
      continue;
    }
    bitCount = 0;
    args[name] = type === 'table' ? readTable(reader) : reader[type]();
  }
  // METHODS ties the arguments to the name, which the compiler cannot follow through the loop.
  return { name: layout.name, args } as Method;
}

/** Encodes a method as the payload of a method frame. */
export function encodeMethod<M extends MethodName>(name: M, args: Args<M>): Buffer {
  const layout = byName.get(name);
  if (!layout) throw new Error(`no such method: ${name}`);
  const values = args as Readonly<Record<string, never>>;
  const writer = new ByteWriter();
  writer.short(layout.classId);
  writer.short(layout.methodId);
  let bits = 0;
  let bitCount = 0;
  const flushBits = () => {
    if (bitCount > 0) writer.octet(bits);
    bits = 0;
    bitCount = 0;
  };
  for (const [arg, type] of layout.args) {
    const value = values[arg];
    if (type === 'bit') {
      if (bitCount === 8) flushBits();
      if (value) bits |= 1 << bitCount;
      bitCount += 1;
      continue;
    }
    flushBits();
    if (value === undefined) throw new Error(`${name} lacks ${arg}`);
    if (type === 'table') writeTable(writer, value);
    else writer[type](value);
  }
  flushBits();
  return writer.finish();
}

/** The class and method id that a close gives as its cause; zeros for none. */
export function methodIds(name: string | undefined): { classId: number; methodId: number } {
  const layout = byName.get(name ?? '');
  return { classId: layout?.classId ?? 0, methodId: layout?.methodId ?? 0 };
}
