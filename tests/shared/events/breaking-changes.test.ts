import type { JsonSchema } from '@valibot/to-json-schema';
import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { breakingChanges } from '../../../scripts/asyncapi/breaking-changes';

/** An object with one field, `a`, of this schema. */
const field = (a: JsonSchema, more: JsonSchema = {}): JsonSchema => ({
  type: 'object',
  properties: { a },
  required: ['a'],
  ...more,
});
const string: JsonSchema = { type: 'string' };
const optional = (schema: JsonSchema): JsonSchema => ({ ...schema, required: [] });

describe('breaks a consumer', () => {
  test.each<[string, JsonSchema, JsonSchema, string]>([
    ['a field is gone', field(string), { type: 'object', required: ['a'] }, 'a is gone'],
    ['an optional field is gone', optional(field(string)), { type: 'object' }, 'a is gone'],
    [
      'a field is forbidden',
      optional(field(string)),
      { type: 'object', properties: { a: false } },
      'a is gone',
    ],
    ['a required field becomes optional', field(string), optional(field(string)), 'a was always there'],
    ['the type changes', field(string), field({ type: 'integer' }), 'a can be integer, and was string'],
    ['null becomes possible', field(string), field({ type: ['string', 'null'] }), 'a can be null'],
    [
      'null becomes possible, as an alternative',
      field(string),
      field({ anyOf: [string, { type: 'null' }] }),
      'a can be null',
    ],
    [
      'a whole number becomes any number',
      field({ type: 'integer' }),
      field({ type: 'number' }),
      'a can be number',
    ],
    ['any type', field(string), field({}), 'a can be of any type'],
    ['a constant changes', field({ const: 'x' }), field({ const: 'y' }), 'a can be "y"'],
    ['a constant becomes an enum', field({ const: 'x' }), field({ enum: ['x', 'y'] }), 'a can be "y"'],
    ['a constant becomes free', field({ type: 'string', const: 'x' }), field(string), 'a can have any value'],
    [
      'an enum is widened',
      field({ enum: ['x'] }),
      field({ enum: ['x', 'y'] }),
      'a can be "y", which it never was',
    ],
    ['an enum is opened', field({ type: 'string', enum: ['x'] }), field(string), 'a can have any value'],
    ['a constant of another type', field(string), field({ const: 1 }), 'a can be number, and was string'],
    [
      'the format is loosened',
      field({ type: 'string', format: 'uuid' }),
      field(string),
      'the format "uuid", and now has none',
    ],
    [
      'the format changes',
      field({ type: 'string', format: 'uuid' }),
      field({ type: 'string', format: 'uri' }),
      'now has "uri"',
    ],
    ['the pattern is loosened', field({ type: 'string', pattern: '^x' }), field(string), 'the pattern "^x"'],
    [
      'the pattern changes',
      field({ type: 'string', pattern: '^x' }),
      field({ type: 'string', pattern: '^xx' }),
      'now has "^xx"',
    ],
    [
      'longer texts',
      field({ type: 'string', maxLength: 5 }),
      field({ type: 'string', maxLength: 6 }),
      'the maxLength 5',
    ],
    ['texts of any length', field({ type: 'string', maxLength: 5 }), field(string), 'the maxLength 5'],
    [
      'shorter texts',
      field({ type: 'string', minLength: 5 }),
      field({ type: 'string', minLength: 4 }),
      'the minLength 5',
    ],
    [
      'smaller numbers',
      field({ type: 'integer', minimum: 0 }),
      field({ type: 'integer', minimum: -1 }),
      'the minimum 0',
    ],
    [
      'larger numbers',
      field({ type: 'integer', maximum: 9 }),
      field({ type: 'integer', maximum: 10 }),
      'the maximum 9',
    ],
    [
      'no multiples any more',
      field({ type: 'integer', multipleOf: 2 }),
      field({ type: 'integer' }),
      'the multipleOf 2',
    ],
    [
      'repetitions',
      field({ type: 'array', uniqueItems: true }),
      field({ type: 'array' }),
      'the uniqueItems true',
    ],
    [
      'items change',
      field({ type: 'array', items: string }),
      field({ type: 'array', items: { type: 'null' } }),
      'a[] can be null',
    ],
    [
      'items become anything',
      field({ type: 'array', items: string }),
      field({ type: 'array' }),
      'a[] can be of any type',
    ],
    ['deep inside', field(field(string)), field(field({ type: 'null' })), 'a.a can be null'],
    [
      'the values of a record change',
      { type: 'object', additionalProperties: string },
      { type: 'object', additionalProperties: { type: 'null' } },
      '* can be null',
    ],
    [
      'a record gains a field of another type',
      { type: 'object', additionalProperties: string },
      { type: 'object', additionalProperties: string, properties: { a: { type: 'null' } } },
      'a can be null',
    ],
    [
      'a closed object gains a field',
      field(string, { additionalProperties: false }),
      field(string, { additionalProperties: false, properties: { a: string, b: string } }),
      'b was never there',
    ],
    [
      'a closed object is opened',
      field(string, { additionalProperties: false }),
      field(string),
      '* was never there',
    ],
    [
      'an alternative more',
      field({ anyOf: [string, { type: 'null' }] }),
      field({ anyOf: [string, { type: 'null' }, { type: 'boolean' }] }),
      'an alternative that it did not have',
    ],
    [
      'what is not understood changes',
      field({ not: string }),
      field({ not: { type: 'null' } }),
      'had the not',
    ],
  ])('%s', (_name, before, after, message) => {
    expect(breakingChanges(before, after).join('\n')).toContain(message);
  });
});

describe('breaks nobody', () => {
  test.each<[string, JsonSchema, JsonSchema]>([
    ['nothing changes', field(string), field(string)],
    ['the order of the keys', { type: 'object', required: ['a'] }, { required: ['a'], type: 'object' }],
    ['a field more', field(string), field(string, { properties: { a: string, b: string } })],
    [
      'a required field more',
      field(string),
      field(string, { properties: { a: string, b: string }, required: ['a', 'b'] }),
    ],
    ['an optional field becomes required', optional(field(string)), field(string)],
    ['null becomes impossible', field({ type: ['string', 'null'] }), field(string)],
    [
      'null becomes impossible, as an alternative',
      field({ anyOf: [string, { type: 'null' }] }),
      field(string),
    ],
    [
      'alternatives as a list of types',
      field({ anyOf: [string, { type: 'null' }] }),
      field({ type: 'null' }),
    ],
    ['a number becomes whole', field({ type: 'number' }), field({ type: 'integer' })],
    ['an enum is narrowed', field({ enum: ['x', 'y'] }), field({ enum: ['y'] })],
    ['an enum becomes a constant', field({ enum: ['x', 'y'] }), field({ const: 'x' })],
    ['a text becomes a constant', field(string), field({ const: 'x' })],
    ['a format', field(string), field({ type: 'string', format: 'uuid' })],
    ['a pattern', field(string), field({ type: 'string', pattern: '^x' })],
    [
      'tighter bounds',
      field({ type: 'integer', minimum: 0, maximum: 9 }),
      field({ type: 'integer', minimum: 1, maximum: 8 }),
    ],
    ['a bound', field(string), field({ type: 'string', maxLength: 3 })],
    ['a type where there was none', field({}), field(string)],
    ['a description', field(string), field({ ...string, description: 'x', title: 'x', examples: ['x'] })],
    ['another description', field({ ...string, description: 'x' }), field({ ...string, description: 'y' })],
    [
      'a record gains a field of its type',
      { type: 'object', additionalProperties: string },
      { type: 'object', additionalProperties: string, properties: { a: { const: 'x' } } },
    ],
    ['an object is closed', field(string), field(string, { additionalProperties: false })],
    ['items of a list of anything', field({ type: 'array' }), field({ type: 'array', items: string })],
    ['no items any more', field({ type: 'array', items: string }), field({ type: 'array', items: false })],
  ])('%s', (_name, before, after) => {
    expect(breakingChanges(before, after)).toEqual([]);
  });
});

test('names every change at once, each with its path', () => {
  const before = field({ type: 'object', properties: { b: string, c: string }, required: ['b', 'c'] });
  const after = field({ type: 'object', properties: { b: { type: 'null' } }, required: ['b'] });
  expect(breakingChanges(before, after)).toEqual([
    'a.c was always there, and need not be any more',
    'a.b can be null, and was string',
  ]);
});

test('whatever is found compatible, an event of the new schema is one of the old', () => {
  const leaf: fc.Arbitrary<JsonSchema> = fc.oneof(
    fc.constantFrom<JsonSchema>(
      {},
      { type: 'string' },
      { type: ['string', 'null'] },
      { type: 'integer' },
      { type: 'number' },
    ),
    fc.constantFrom<JsonSchema>(
      { const: 'x' },
      { enum: ['x', 'y'] },
      { enum: ['x', null] },
      { anyOf: [{ type: 'string' }, { type: 'null' }] },
    ),
    fc.constantFrom<JsonSchema>(
      { type: 'string', minLength: 1 },
      { type: 'string', maxLength: 1 },
      { type: 'string', pattern: '^x' },
      { type: 'integer', minimum: 1 },
    ),
  );
  const { schema } = fc.letrec<{ schema: JsonSchema }>((tie) => ({
    schema: fc.oneof(
      { maxDepth: 2 },
      leaf,
      fc.record<JsonSchema>(
        {
          type: fc.constant('object' as const),
          properties: fc.dictionary(fc.constantFrom('a', 'b'), tie('schema'), { maxKeys: 2 }),
          required: fc.uniqueArray(fc.constantFrom('a', 'b')),
          additionalProperties: fc.oneof(fc.boolean(), leaf),
        },
        { requiredKeys: ['type'] },
      ),
    ),
  }));
  const scalar = fc.constantFrom(null, 'x', 'y', 'xx', '', 0, 1, 1.5, true);
  const flat = fc.dictionary(fc.constantFrom('a', 'b', 'c'), scalar);
  const value = fc.oneof(scalar, flat, fc.dictionary(fc.constantFrom('a', 'b'), fc.oneof(scalar, flat)));
  const ajv = addFormats(new Ajv2020({ strict: false }));
  const compile = (schema: object) => ajv.compile(schema);
  let compared = 0;
  fc.assert(
    fc.property(
      schema,
      schema,
      fc.array(value, { minLength: 20, maxLength: 20 }),
      (before, after, values) => {
        if (breakingChanges(before, after).length > 0) return;
        compared++;
        const [isOld, isNew] = [compile(before), compile(after)];
        for (const each of values) if (isNew(each)) expect([each, isOld(each)]).toEqual([each, true]);
      },
    ),
    { numRuns: 3000 },
  );
  expect(compared).toBeGreaterThan(100);
});
