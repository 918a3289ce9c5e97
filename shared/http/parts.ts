import * as v from 'valibot';
import { DomainError, type FieldError } from '../errors';
import { UNKNOWN_FIELD } from '../exactly';
import { cutPath, findUnstorable, MAX_ERRORS } from '../storable';
import type { Request } from './request';

/** A part of a request, with the schema that parses it. */
export interface Part<T> {
  schema: v.GenericSchema<unknown, T>;
  /** @throws DomainError describing what is invalid */
  read(request: Request): T;
}

const MAX_BODY_BYTES = 64 * 1024;

/**
 * The JSON body. May be missing if the schema is optional.
 * Throws `unsupported_media_type`, `payload_too_large`, `invalid_json`, or `invalid_request` with every problem at once.
 */
export const json = <T>(schema: v.GenericSchema<unknown, T>): Part<T> => ({
  schema,
  read: ({ headers, rawBody }) => {
    if (schema.type === 'optional' && rawBody.length === 0) return v.parse(schema, undefined);
    const mediaType = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
    if (mediaType !== 'application/json') {
      throw new DomainError('unsupported_media_type', { detail: 'Send content-type: application/json' });
    }
    if (rawBody.length > MAX_BODY_BYTES) {
      throw new DomainError('payload_too_large', {
        detail: `The body may have at most ${MAX_BODY_BYTES} bytes`,
      });
    }
    return validate(schema, parseJson(rawBody));
  },
});

/** The query string. Throws `invalid_request`. */
export const query = <T>(schema: v.GenericSchema<unknown, T>): Part<T> => ({
  schema,
  read: (request) => validate(schema, request.query),
});

/** Request headers, by lower-case name. Throws `invalid_request`. */
export function headers<E extends v.ObjectEntries>(entries: E) {
  const schema = v.object(entries);
  return {
    schema,
    read: (request: Request) => {
      const { success, output, issues = [] } = v.safeParse(schema, request.headers);
      if (success) return output;
      throw invalidRequest(
        issues.map((issue) => ({ path: v.getDotPath(issue) ?? '', message: issue.message })),
      );
    },
  };
}

/** Path parameters. Throws `not_found` for values that no record can have. */
export function path<E extends v.ObjectEntries>(entries: E) {
  const schema = v.object(entries);
  return {
    schema,
    read: ({ params }: Request) => {
      const { success, output } = v.safeParse(schema, params);
      if (success) return output;
      throw new DomainError('not_found', { detail: 'Record not found' });
    },
  };
}

function parseJson(body: Buffer): unknown {
  try {
    // Fatal: JSON is UTF-8 (RFC 8259, section 8.1); invalid bytes must not silently become U+FFFD.
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new DomainError('invalid_json');
  }
}

/** Field names that valibot ignores instead of rejecting. */
const IGNORED_BY_VALIBOT = ['constructor', 'prototype'];

function validate<T>(schema: v.GenericSchema<unknown, T>, input: unknown): T {
  // First, because deep nesting would exhaust the stack during validation.
  const unstorable = findUnstorable(input);
  if (unstorable.length > 0) throw invalidRequest(unstorable);
  // valibot takes an empty list for an object whose fields are all optional.
  if (Array.isArray(input)) throw invalidRequest([{ path: '', message: 'must be a JSON object' }]);
  const ignored = IGNORED_BY_VALIBOT.filter((name) => isObject(input) && Object.hasOwn(input, name));
  const result = v.safeParse(schema, input);
  if (result.success && ignored.length === 0) return result.output;
  throw invalidRequest([
    ...ignored.map((name) => ({ path: name, message: UNKNOWN_FIELD })),
    // Sliced before anything is built: a body of 64 KiB can have thousands of problems.
    ...(result.issues ?? []).slice(0, MAX_ERRORS - ignored.length).map((issue) => ({
      path: cutPath(v.getDotPath(issue) ?? ''),
      message: issue.input === undefined && issue.expected !== 'never' ? 'is required' : issue.message,
    })),
  ]);
}

function invalidRequest(errors: FieldError[]): DomainError {
  return new DomainError('invalid_request', { detail: 'See `errors` for the invalid fields', errors });
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
