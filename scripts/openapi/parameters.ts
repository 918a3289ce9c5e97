import type { JsonSchema } from '@valibot/to-json-schema';
import type * as v from 'valibot';
import type { ResponseHeader } from '../../shared/openapi/documentation';
import { parameterSchemaOf } from './json-schema';
import type { Operation, RequestHeader } from './operation';

/** Keyed by the path up to and including the parameter, because `{id}` differs between paths. */
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
  '/users/{id}/factors/{factorId}': {
    description: "A factor's id",
    schema: { type: 'string', format: 'uuid' },
  },
  '/users/{id}/passkeys/{passkeyId}': {
    description: "A passkey's id",
    schema: { type: 'string', format: 'uuid' },
  },
  '/dead-letters/{id}': {
    description: "A dead letter's id",
    schema: { type: 'string', format: 'uuid' },
  },
  '/erasures/{id}': { description: "A case's id", schema: { type: 'string', format: 'uuid' } },
  '/exports/{id}': { description: "A case's id", schema: { type: 'string', format: 'uuid' } },
  '/erasures/{id}/holders/{name}': {
    description: "A data holder's name",
    schema: { type: 'string', pattern: '^[a-z][a-z0-9_-]{0,63}$' },
  },
  '/data-holders/{name}': {
    description: "A data holder's name",
    schema: { type: 'string', pattern: '^[a-z][a-z0-9_-]{0,63}$' },
  },
  '/events/{id}': { description: "An event's id", schema: { type: 'string', format: 'uuid' } },
  '/events/replays/{replayId}': {
    description: "A replay's id",
    schema: { type: 'string', format: 'uuid' },
  },
  '/roles/{name}': {
    description: "A role's name",
    schema: { type: 'string', pattern: '^[a-z][a-z0-9_-]{0,31}$' },
  },
  '/pages/{asset}': {
    description: 'The file',
    schema: { type: 'string', enum: ['app.js', 'app.css'] },
  },
  '/console/{asset}': {
    description: 'The file',
    schema: { type: 'string', enum: ['app.js', 'app.css'] },
  },
  '/webhooks/{id}': { description: "A webhook's id", schema: { type: 'string', format: 'uuid' } },
  '/webhooks/{id}/deliveries/{deliveryId}': {
    description: "A delivery's id: the event's id, which the receiver gets as `webhook-id`",
    schema: { type: 'string', format: 'uuid' },
  },
};

const HEADER_DESCRIPTIONS: Record<RequestHeader, { description: string; schema: JsonSchema }> = {
  'if-match': {
    description:
      'The `ETag` of the record when it was read. If the record has changed since, the request fails with 412',
    schema: { type: 'string', examples: ['"1"'] },
  },
  'if-none-match': {
    description: 'The `ETag` of a cached record. If the record has not changed since, the response is 304',
    schema: { type: 'string', examples: ['"1"'] },
  },
  'idempotency-key': {
    description:
      'Chosen by the client and sent with every attempt of one request. If it is repeated within 24 hours, nothing new is created and the response has `idempotent-replayed: true`',
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
    description: "Identifies the request in the logs. The caller's own, if it sent a valid one",
    schema: { type: 'string' },
  },
  'www-authenticate': {
    description:
      '`Bearer`, with `error="invalid_token"` if a token was sent (RFC 6750), or with `error="insufficient_user_authentication"` and `max_age` if `POST /step-up` is required (RFC 9470)',
    schema: { type: 'string' },
  },
  'retry-after': {
    description: 'Seconds to wait before the next attempt',
    schema: { type: 'integer', minimum: 1 },
  },
  etag: { description: "The record's current `version`, in quotes", schema: { type: 'string' } },
  location: { description: 'Path of the new record, or of the page to go to', schema: { type: 'string' } },
  'cache-control': { description: 'How long the response may be cached', schema: { type: 'string' } },
  'content-disposition': { description: 'The name of the file to save', schema: { type: 'string' } },
  'content-security-policy': { description: 'What the page may load and do', schema: { type: 'string' } },
  'set-cookie': { description: 'The session of the console', schema: { type: 'string' } },
  'idempotent-replayed': {
    description: '`true` if the response repeats an earlier one',
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
