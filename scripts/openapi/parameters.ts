import type { JsonSchema } from '@valibot/to-json-schema';
import type * as v from 'valibot';
import type { ResponseHeader } from '../../shared/openapi/documentation';
import { parameterSchemaOf } from './json-schema';
import type { Operation, RequestHeader } from './operation';

/** By the path up to and including it, because `{id}` is not the same everywhere. */
const PATH_PARAMETERS: Record<string, { description: string; schema: JsonSchema; example?: string }> = {
  '/users/{id}': {
    description: "A user's id, or `me`",
    schema: { anyOf: [{ type: 'string', format: 'uuid' }, { const: 'me' }] },
    example: 'me',
  },
  '/users/{id}/sessions/{sessionId}': {
    description: "A session's id",
    schema: { type: 'string', format: 'uuid' },
  },
  '/dead-letters/{id}': {
    description: "A dead letter's id",
    schema: { type: 'string', format: 'uuid' },
  },
  '/roles/{name}': {
    description: "A role's name",
    schema: { type: 'string', pattern: '^[a-z][a-z0-9_-]{0,31}$' },
  },
  '/webhooks/{id}': { description: "A webhook's id", schema: { type: 'string', format: 'uuid' } },
  '/webhooks/{id}/deliveries/{deliveryId}': {
    description: "A delivery's id, which is the event's: what the receiver has seen as `webhook-id`",
    schema: { type: 'string', format: 'uuid' },
  },
};

const HEADER_DESCRIPTIONS: Record<RequestHeader, { description: string; schema: JsonSchema }> = {
  'if-match': {
    description:
      'The `ETag` that the record had when it was read. Where it has changed since, nothing is done: 412',
    schema: { type: 'string', examples: ['"1"'] },
  },
  'if-none-match': {
    description: 'The `ETag` of what is known already. Where it has not changed since: 304',
    schema: { type: 'string', examples: ['"1"'] },
  },
  'idempotency-key': {
    description:
      'Chosen by the client, the same for every try of one request. Tried again with it within 24 hours, nothing new is created and the answer has `idempotent-replayed: true`',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  },
};

type AnyResponseHeader =
  | ResponseHeader
  | 'x-request-id'
  | 'www-authenticate'
  | 'retry-after'
  | 'idempotent-replayed';

export const RESPONSE_HEADERS: Record<AnyResponseHeader, { description: string; schema: JsonSchema }> = {
  'x-request-id': {
    description: "Names the request in the logs. The caller's, where it sent a sane one",
    schema: { type: 'string' },
  },
  'www-authenticate': {
    description:
      '`Bearer`, with `error="invalid_token"` where there was a token (RFC 6750), or `error="insufficient_user_authentication"` and `max_age` where `POST /step-up` is needed (RFC 9470)',
    schema: { type: 'string' },
  },
  'retry-after': {
    description: 'Seconds until it is worth another try',
    schema: { type: 'integer', minimum: 1 },
  },
  etag: { description: "The record's present `version`, in quotes", schema: { type: 'string' } },
  location: { description: 'Where the new record is', schema: { type: 'string' } },
  'cache-control': { description: 'How long it may be kept', schema: { type: 'string' } },
  'content-security-policy': { description: 'What the page may load and do', schema: { type: 'string' } },
  'idempotent-replayed': {
    description: '`true` where the answer repeats an earlier one',
    schema: { const: 'true' },
  },
};

/** References to the response headers of these names. */
export function headerRefs(names: readonly AnyResponseHeader[]) {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

/** @throws Error for a parameter in the path that is not described above */
export function parametersOf({ query, headers }: Operation, path: string) {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([braced, name], index, all) => {
    const upTo = path.slice(0, (all[index]?.index ?? 0) + braced.length);
    const known = PATH_PARAMETERS[upTo];
    if (!known) throw new Error(`Describe the parameter ${upTo} in scripts/openapi/parameters.ts`);
    return { name, in: 'path', required: true, ...known };
  });
  const inQuery = Object.entries(query ? entriesOf(query) : {}).map(([name, schema]) => {
    const { description, ...rest } = parameterSchemaOf(schema);
    return {
      name,
      in: 'query',
      required: schema.type !== 'optional',
      ...(description !== undefined && { description }),
      schema: rest,
    };
  });
  const inHeaders = headers.map((name) => ({
    name,
    in: 'header',
    required: false,
    ...HEADER_DESCRIPTIONS[name],
  }));
  return [...inPath, ...inQuery, ...inHeaders];
}

function entriesOf(query: v.GenericSchema): v.ObjectEntries {
  if ('entries' in query) return query.entries as v.ObjectEntries;
  throw new Error('A query is an object with a schema for each of its parameters');
}
