import {
  type ConversionConfig,
  type JsonSchema,
  toJsonSchema,
  toJsonSchemaDefs,
} from '@valibot/to-json-schema';
import type * as v from 'valibot';
import * as named from '../../shared/openapi/schemas';

const CONVERSION: ConversionConfig = {
  target: 'draft-2020-12',
  // What a client sends: before trimming, parsing and defaults.
  typeMode: 'input',
  definitions: named,
  overrideRef: ({ referenceId }) => `#/components/schemas/${referenceId}`,
  overrideSchema: ({ valibotSchema, jsonSchema, errors }) => {
    // `exactly`: an object with these fields and no others.
    if (valibotSchema.type === 'object_with_rest' && isNever(jsonSchema.additionalProperties)) {
      return { ...jsonSchema, additionalProperties: false };
    }
    if (valibotSchema.type === 'loose_object') return { ...jsonSchema, additionalProperties: true };
    if (valibotSchema.type === 'record') return { ...jsonSchema, propertyNames: undefined };
    if (valibotSchema.type === 'nullable' && jsonSchema.anyOf) return nullable(jsonSchema);
    return errors && valibotSchema.type === 'custom' ? withMessage(jsonSchema, valibotSchema) : null;
  },
  overrideAction: ({ valibotAction, jsonSchema, errors }) => {
    if (!errors) return null;
    // A check is code, which no schema can say: its message, which is made for people, says it to them.
    if (valibotAction.type === 'check') return withMessage(jsonSchema, valibotAction);
    // `maxCharacters`: the metadata beside it says the same.
    if (valibotAction.type === 'raw_check') return jsonSchema;
    // Across fields; the message alone would not say of which. The operation's description does.
    if (valibotAction.type === 'partial_check') return jsonSchema;
    return valibotAction.type === 'trim' ? jsonSchema : null;
  },
};

/** The schemas that have a name, by it. */
export function namedSchemas(): Record<string, JsonSchema> {
  return toJsonSchemaDefs({ ...named }, CONVERSION);
}

/** @throws Error for what cannot be said in JSON Schema and was not thought of above */
export function schemaOf(schema: v.GenericSchema): JsonSchema {
  const { $schema, $defs, ...rest } = toJsonSchema(schema, CONVERSION);
  return rest;
}

/** A parameter is text; one that is parsed to a number is described as that number. */
export function parameterSchemaOf(schema: v.GenericSchema): JsonSchema {
  const { $schema, $defs, ...parsed } = toJsonSchema(schema, {
    ...CONVERSION,
    typeMode: 'output',
    errorMode: 'ignore',
  });
  if (parsed.type !== 'integer' && parsed.type !== 'number') return schemaOf(schema);
  return parsed.default === undefined ? parsed : { ...parsed, default: Number(parsed.default) };
}

function isNever(schema: JsonSchema['additionalProperties']): boolean {
  return typeof schema === 'object' && 'not' in schema;
}

/** `type: [string, null]` is easier to read than two alternatives, and the same. */
function nullable(jsonSchema: JsonSchema): JsonSchema | null {
  const { anyOf: [inner] = [], ...rest } = jsonSchema;
  if (typeof inner !== 'object' || typeof inner.type !== 'string' || inner.enum || 'const' in inner)
    return null;
  return { ...inner, ...rest, type: [inner.type, 'null'] };
}

function withMessage(jsonSchema: JsonSchema, checked: object): JsonSchema {
  if (!('message' in checked) || typeof checked.message !== 'string') return jsonSchema;
  const { description } = jsonSchema;
  const message = checked.message.charAt(0).toUpperCase() + checked.message.slice(1);
  return { ...jsonSchema, description: description ? `${description}; ${checked.message}` : message };
}
