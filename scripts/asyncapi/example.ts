import type { JsonSchema } from '@valibot/to-json-schema';

const ID = '0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b';

/** Typical values by field name, for schemas that do not imply one. */
const TYPICAL: Record<string, unknown> = {
  username: 'gorden',
  email: 'gorden@example.com',
  role: 'user',
  from: 'user',
  to: 'admin',
  sequence: '0000000001',
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
};

/** For fields that accept any value: the changes of a user. */
const ANYTHING: Record<string, unknown> = { from: null, to: 'Gorden F.' };

/** A typical value for a schema, the same in every run. */
export function exampleOf(schema: JsonSchema | boolean | undefined, name = ''): unknown {
  if (schema === undefined || typeof schema === 'boolean') return null;
  if ('const' in schema) return schema.const;
  if (schema.enum) return schema.enum[0];
  if (schema.anyOf) return exampleOf(schema.anyOf[0], name);
  if (schema.format === 'uuid') return ID;
  if (schema.format === 'date-time') return '2026-11-20T16:37:15.123Z';
  if (schema.format === 'uri') return 'https://example.com/';
  const [type] = [schema.type].flat();
  switch (type) {
    case 'object':
      return objectExample(schema);
    case 'array':
      return Array.isArray(schema.items) ? [] : [exampleOf(schema.items, name)];
    case 'number':
    case 'integer':
      return schema.minimum ?? 1;
    case 'boolean':
      return true;
    case undefined:
      return ANYTHING[name] ?? null;
    default:
      return TYPICAL[name] ?? name;
  }
}

function objectExample({ properties, additionalProperties }: JsonSchema): Record<string, unknown> {
  if (properties) {
    return Object.fromEntries(
      Object.entries(properties).map(([name, schema]) => [name, exampleOf(schema, name)]),
    );
  }
  return typeof additionalProperties === 'object' ? { displayName: exampleOf(additionalProperties) } : {};
}
