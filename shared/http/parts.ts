import * as v from 'valibot';
import { DomainError, type FieldError } from '../errors';
import { UNKNOWN_FIELD } from '../exactly';
import { cutPath, findUnstorable, MAX_ERRORS } from '../storable';
import type { Request } from './request';

/** A part of a request, as an endpoint's definition names it. */
export interface Part<T> {
  schema: v.GenericSchema<unknown, T>;
  /** @throws DomainError saying what is wrong with it */
  read(request: Request): T;
}

const MAX_BODY_BYTES = 64 * 1024;

/**
 * The body, which is JSON. Where the schema is optional, there may be none.
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
      throw new DomainError('payload_too_large', { detail: `At most ${MAX_BODY_BYTES} bytes` });
    }
    return validate(schema, parseJson(rawBody));
  },
});

/** The query string. Throws `invalid_request`. */
export const query = <T>(schema: v.GenericSchema<unknown, T>): Part<T> => ({
  schema,
  read: (request) => validate(schema, request.query),
});

/** Some headers, by their names in lower case. Throws `invalid_request`. */
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

/** The parameters in the path. Throws `not_found` for what cannot exist. */
export function path<E extends v.ObjectEntries>(entries: E) {
  const schema = v.object(entries);
  return {
    schema,
    read: ({ params }: Request) => {
      const { success, output } = v.safeParse(schema, params);
      if (success) return output;
      throw new DomainError('not_found', { detail: 'There is no such record' });
    },
  };
}

function parseJson(body: Buffer): unknown {
  try {
    // Fatal: bytes that are no UTF-8 are no JSON either (RFC 8259, section 8.1), and must not become U+FFFD.
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new DomainError('invalid_json');
  }
}

/** Names that valibot passes over, as if they were not there. */
const PASSED_OVER = ['constructor', 'prototype'];

function validate<T>(schema: v.GenericSchema<unknown, T>, input: unknown): T {
  // First: nesting without end would exhaust the stack of what comes next.
  const unstorable = findUnstorable(input);
  if (unstorable.length > 0) throw invalidRequest(unstorable);
  const passedOver = PASSED_OVER.filter((name) => isObject(input) && Object.hasOwn(input, name));
  const result = v.safeParse(schema, input);
  if (result.success && passedOver.length === 0) return result.output;
  throw invalidRequest([
    ...passedOver.map((name) => ({ path: name, message: UNKNOWN_FIELD })),
    // Cut before anything is built: 64 KiB have room for thousands of problems.
    ...(result.issues ?? []).slice(0, MAX_ERRORS - passedOver.length).map((issue) => ({
      path: cutPath(v.getDotPath(issue) ?? ''),
      message: issue.input === undefined && issue.expected !== 'never' ? 'is required' : issue.message,
    })),
  ]);
}

function invalidRequest(errors: FieldError[]): DomainError {
  return new DomainError('invalid_request', { detail: 'See errors for what to change', errors });
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
