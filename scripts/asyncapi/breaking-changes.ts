import type { JsonSchema } from '@valibot/to-json-schema';

/** Keywords that describe a schema to people and do not constrain the data. */
const ANNOTATIONS = [
  '$schema',
  '$id',
  '$comment',
  'title',
  'description',
  'examples',
  'default',
  'deprecated',
];
/** Keywords that are compared by their meaning, below. */
const UNDERSTOOD = [
  'type',
  'const',
  'enum',
  'properties',
  'required',
  'additionalProperties',
  'items',
  'anyOf',
];
/** Consumers rely on bounds, which may only become tighter. `1`: a larger value is tighter; `-1`: a smaller one. */
const BOUNDS: Record<string, 1 | -1> = {
  ...{ minLength: 1, minimum: 1, exclusiveMinimum: 1, minItems: 1, minProperties: 1 },
  ...{ maxLength: -1, maximum: -1, exclusiveMaximum: -1, maxItems: -1, maxProperties: -1 },
};

type Part = JsonSchema | boolean | undefined;

/**
 * Finds what would break a consumer of the published schema: values that the published schema ruled out and the current
 * one allows, and fields that it guaranteed and the current one does not. New fields are allowed, because objects are open
 * and consumers ignore unknown fields.
 * @returns a sentence for each, with the path of the field. Empty: the current schema may replace the published one
 */
export function breakingChanges(published: JsonSchema, current: JsonSchema): string[] {
  return compare('', published, current);
}

function compare(path: string, published: Part, current: Part): string[] {
  const [before, after] = [asSchema(published), asSchema(current)];
  if (after === 'nothing') return [];
  if (before === 'nothing') return [`${nameOf(path)} was never there, and can be now`];
  if (before.anyOf || after.anyOf) return compareAlternatives(path, before, after);
  return [
    ...compareTypes(path, before, after),
    ...compareValues(path, before, after),
    ...compareFields(path, before, after),
    ...compareOtherFields(path, before, after),
    ...(before.items === undefined
      ? []
      : compare(`${path}[]`, schemaIn(before.items), schemaIn(after.items))),
    ...compareRest(path, before, after),
  ];
}

/** Each alternative of the current schema must match one of the published schema. */
function compareAlternatives(path: string, before: JsonSchema, after: JsonSchema): string[] {
  const known = alternativesOf(before);
  return alternativesOf(after).flatMap((alternative) => {
    const attempts = known.map((one) => compare(path, one, alternative));
    if (attempts.some((problems) => problems.length === 0)) return [];
    const [only] = attempts;
    return attempts.length === 1 && only ? only : [`${nameOf(path)} has an alternative that it did not have`];
  });
}

function alternativesOf({ anyOf, ...rest }: JsonSchema): Part[] {
  if (!anyOf) return [rest];
  return anyOf.map((one) => (typeof one === 'boolean' ? one : { ...rest, ...one }));
}

function compareTypes(path: string, before: JsonSchema, after: JsonSchema): string[] {
  const known = typesOf(before);
  if (known.length === 0) return [];
  const types = typesOf(after);
  if (types.length === 0) return [`${nameOf(path)} can be of any type, and was ${known.join(' or ')}`];
  const unknown = types.filter(
    (type) => !known.includes(type) && !(type === 'integer' && known.includes('number')),
  );
  return unknown.map((type) => `${nameOf(path)} can be ${type}, and was ${known.join(' or ')}`);
}

function typesOf(schema: JsonSchema): string[] {
  if (schema.type !== undefined) return [schema.type].flat();
  const values = valuesOf(schema);
  return [...new Set(values?.map((value) => (value === null ? 'null' : typeof value)))];
}

function compareValues(path: string, before: JsonSchema, after: JsonSchema): string[] {
  const known = valuesOf(before)?.map((value) => JSON.stringify(value));
  if (!known) return [];
  const values = valuesOf(after)?.map((value) => JSON.stringify(value));
  if (!values) return [`${nameOf(path)} can have any value, and had ${known.join(' or ')}`];
  return values
    .filter((value) => !known.includes(value))
    .map((value) => `${nameOf(path)} can be ${value}, which it never was`);
}

function valuesOf(schema: JsonSchema): unknown[] | undefined {
  return 'const' in schema ? [schema.const] : schema.enum;
}

function compareFields(path: string, before: JsonSchema, after: JsonSchema): string[] {
  const optional = (before.required ?? []).filter((name) => !after.required?.includes(name));
  const problems = optional.map(
    (name) => `${nameOf(`${path}.${name}`)} was always there, and need not be any more`,
  );
  for (const [name, schema] of Object.entries(before.properties ?? {})) {
    const now = after.properties?.[name];
    if (now !== undefined && now !== false) problems.push(...compare(`${path}.${name}`, schema, now));
    else if (!optional.includes(name)) problems.push(`${nameOf(`${path}.${name}`)} is gone`);
  }
  return problems;
}

/** Fields without a declared name: of a record, or of a closed object. */
function compareOtherFields(path: string, before: JsonSchema, after: JsonSchema): string[] {
  const others = before.additionalProperties;
  if (others === undefined || others === true) return [];
  const added = Object.entries(after.properties ?? {}).filter(
    ([name]) => !(name in (before.properties ?? {})),
  );
  return [
    ...added.flatMap(([name, schema]) => compare(`${path}.${name}`, others, schema)),
    ...compare(`${path}.*`, others, after.additionalProperties),
  ];
}

/** Formats, patterns and bounds. Keywords that this file does not know must not change. */
function compareRest(path: string, before: JsonSchema, after: JsonSchema): string[] {
  const now = new Map<string, unknown>(Object.entries(after));
  return Object.entries(before).flatMap(([keyword, value]) => {
    if (ANNOTATIONS.includes(keyword) || UNDERSTOOD.includes(keyword)) return [];
    const is = now.get(keyword);
    const direction = BOUNDS[keyword];
    const isTighter =
      direction !== undefined &&
      typeof is === 'number' &&
      typeof value === 'number' &&
      (is - value) * direction >= 0;
    if (isTighter || JSON.stringify(is) === JSON.stringify(value)) return [];
    const became = is === undefined ? 'has none' : `has ${JSON.stringify(is)}`;
    return [`${nameOf(path)} had the ${keyword} ${JSON.stringify(value)}, and now ${became}`];
  });
}

/** `true` and a missing schema allow everything. */
function asSchema(part: Part): JsonSchema | 'nothing' {
  if (part === false) return 'nothing';
  return part === undefined || part === true ? {} : part;
}

function schemaIn(items: JsonSchema['items']): Part {
  if (Array.isArray(items)) throw new Error('Lists of items are not compared: use prefixItems');
  return items;
}

function nameOf(path: string): string {
  return path === '' ? 'the event' : path.replace(/^\./, '');
}
