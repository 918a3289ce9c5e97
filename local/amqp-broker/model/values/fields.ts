/**
 * A value of a field table, with the type tag that it arrived with, so that it is sent on unchanged. The tags are
 * RabbitMQ's (https://www.rabbitmq.com/docs/amqp-0-9-1-errata#section_3), not those of the specification.
 */
export interface Field {
  readonly tag: string;
  readonly value: FieldValue;
}
export type FieldValue = string | number | bigint | boolean | null | Buffer | FieldTable | readonly Field[];
export type FieldTable = ReadonlyMap<string, Field>;

export const NO_FIELDS: FieldTable = new Map();

export const longstr = (value: string): Field => ({ tag: 'S', value });
export const long = (value: number): Field => ({ tag: 'l', value: BigInt(value) });
export const bool = (value: boolean): Field => ({ tag: 't', value });
export const timestamp = (seconds: number): Field => ({ tag: 'T', value: BigInt(seconds) });
export const array = (items: readonly Field[]): Field => ({ tag: 'A', value: items });
export const table = (entries: Readonly<Record<string, Field>>): Field => ({
  tag: 'F',
  value: new Map(Object.entries(entries)),
});

/** The text of a field, or undefined if it is not text. */
export function textOf(field: Field | undefined): string | undefined {
  return typeof field?.value === 'string' ? field.value : undefined;
}

/** The value of an integer field, or undefined if it is not an integer. */
export function integerOf(field: Field | undefined): number | undefined {
  if (field?.tag === 'l') return Number(field.value);
  return typeof field?.value === 'number' && 'bBsuIi'.includes(field.tag) ? field.value : undefined;
}

/** The name of a field's type in RabbitMQ's error texts. */
export function typeName(field: Field): string {
  return TYPE_NAMES[field.tag] ?? 'unknown';
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  t: 'bool',
  b: 'byte',
  B: 'unsignedbyte',
  s: 'short',
  u: 'unsignedshort',
  I: 'signedint',
  i: 'unsignedint',
  l: 'long',
  f: 'float',
  d: 'double',
  D: 'decimal',
  S: 'longstr',
  A: 'array',
  T: 'timestamp',
  F: 'table',
  V: 'void',
  x: 'binary',
};
