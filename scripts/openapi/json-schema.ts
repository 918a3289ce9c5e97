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
  // Describe the input as the client sends it, before trimming, parsing and defaults.
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
    // JSON Schema cannot express a check, which is code, so its message becomes the description.
    if (valibotAction.type === 'check') return withMessage(jsonSchema, valibotAction);
    // `maxCharacters`: the metadata beside it has the limit.
    if (valibotAction.type === 'raw_check') return jsonSchema;
    // It spans fields, and its message does not name them; the operation's description does.
    if (valibotAction.type === 'partial_check') return jsonSchema;
    return valibotAction.type === 'trim' ? jsonSchema : null;
  },
};

/** The named schemas, by name. */
export function namedSchemas(): Record<string, JsonSchema> {
  return toJsonSchemaDefs({ ...named }, CONVERSION);
}

/** @throws Error for a schema that JSON Schema cannot express and that is not handled above */
export function schemaOf(schema: v.GenericSchema): JsonSchema {
  const { $schema, $defs, ...rest } = toJsonSchema(schema, CONVERSION);
  return rest;
}

/** A parameter is text, but one that is parsed to a number is described as a number. */
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

/** `type: [string, null]` means the same as two alternatives and is easier to read. */
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
